"""What goes on in a target at one moment, as frozen records: sessions, who waits for whom, the server's health."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A backend of the target, as pg_stat_activity shows it."""

    pid: int
    application: str
    user: str
    state: str
    query: str
    #: None where it is in no transaction
    transaction_seconds: float | None = None
    state_seconds: float | None = None
    wait: str | None = None
    #: with the pid it names the session for good; None where that was not asked
    backend_start: datetime | None = None
    #: qualified relation -> lock modes it holds, as pg_locks spells them
    locks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: it keeps a snapshot that a concurrent index build waits for
    keeps_snapshot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEdge:
    """One backend waiting for another."""

    waiter_pid: int
    blocker_pid: int
    relation: str | None
    wanted_mode: str
    wait_seconds: float | None
    #: True where the blocker holds nothing yet and is only ahead in the queue
    queued_only: bool
    blocker: Session | None = None
    waiter_application: str = ""
    waiter_query: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """One look at the health of a target; None means unknown, never zero."""

    at: str
    connections: int | None = None
    connections_usable: int | None = None
    active: int | None = None
    lock_waiters: int | None = None
    idle_in_transaction: int | None = None
    oldest_transaction_seconds: float | None = None
    replica_lag_bytes: int | None = None
    replica_lag_seconds: float | None = None
    wal_position: float | None = None
    database_bytes: int | None = None
    hidden_by_privilege: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutovacuumWorker:
    """One autovacuum worker in this database."""

    pid: int
    relation: str | None
    phase: str | None
    blocks_total: int | None
    blocks_scanned: int | None
    running_seconds: float | None
    #: it does not give way to our DDL
    prevents_wraparound: bool
    lock_mode: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Who could be in a plan's way at one moment."""

    #: when it was read, ISO 8601 in UTC, by the server's clock
    at: str
    #: those whose transaction is open for longer than a moment, oldest first; pid 0 is a prepared transaction
    sessions: tuple[Session, ...] = ()
    autovacuum: tuple[AutovacuumWorker, ...] = ()
    #: sessions whose transactions the role may not see
    hidden: int = 0
