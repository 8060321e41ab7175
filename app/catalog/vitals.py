"""The health of a target's server: sessions, age of the oldest transaction, standbys, autovacuum."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from app.catalog.ask import Connection, ask, ask_one
from app.catalog.live import AutovacuumWorker, Vitals

#: Known only to a role that may see what other sessions do.
_OF_SESSIONS = frozenset(
    {"connections", "active", "idle_in_transaction", "oldest_transaction_seconds", "longest_idle_in_transaction_seconds"}
    | {"longest_query_seconds", "autovacuum_workers"}
)
_FIELDS = frozenset(field.name for field in dataclasses.fields(Vitals))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One standby as its primary sees it; None means unknown, never zero."""

    application: str
    pid: int
    state: str | None
    sync_state: str | None
    slot: str | None
    unsent_bytes: int | None
    unflushed_bytes: int | None
    replay_behind_bytes: int | None
    #: as fresh as the standby's last reply
    replay_lag_seconds: float | None
    last_reply_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One replication slot and what it keeps back."""

    name: str
    type: str
    database: str | None
    is_active: bool
    wal_status: str | None
    retained_bytes: int | None
    safe_wal_bytes: int | None
    xmin_age: int | None
    invalidation_reason: str | None


def read_vitals(connection: Connection, *, with_size: bool = False) -> Vitals:
    """One look at the server; figures about sessions are None where the role may not see them.

    ``with_size`` adds the size of the database, which looks at every file: not more than once in two seconds.
    """
    row = ask_one(connection, "vitals")
    if row["hidden_by_privilege"]:
        row.update(dict.fromkeys(_OF_SESSIONS))
    if row["replicas_unknown"]:
        row.update(replica_lag_bytes=None, replica_lag_seconds=None)
    known: dict[str, Any] = {name: value for name, value in row.items() if name in _FIELDS and name != "at"}
    if with_size:
        known["database_bytes"] = ask_one(connection, "database_size")["database_bytes"]
    extra = {name: value for name, value in row.items() if name not in _FIELDS}
    return Vitals(at=row["at"].isoformat(), extra=extra, **known)


def read_autovacuum(connection: Connection) -> tuple[AutovacuumWorker, ...]:
    """What autovacuum works on in this database."""
    return tuple(AutovacuumWorker(**row) for row in ask(connection, "autovacuum"))


def read_replicas(connection: Connection) -> tuple[Replica, ...]:
    """The standbys of this server, the one that is furthest behind first."""
    return tuple(Replica(**row) for row in ask(connection, "replicas"))


def read_slots(connection: Connection) -> tuple[Slot, ...]:
    """The replication slots of this server, the one that keeps most WAL first."""
    return tuple(Slot(**row) for row in ask(connection, "slots"))
