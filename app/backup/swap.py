"""Puts a restored database in the place of the target's: two renames in one transaction, so there is no moment without one.

RENAME takes the database's lock first: who connects from then on waits, and who is connected is ended only where a person agreed
to that by name. If this process dies, or anything is refused, the transaction is gone and every name is what it was.
"""

import threading
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from app.backup.beside import NotAllowedThereError, on_server
from app.errors import HeadgateError
from app.target.errors import TargetError
from app.target.session import Target

_LOCK_MS = 2000
_LOOK_SECONDS = 0.1
_INSUFFICIENT_PRIVILEGE, _IN_USE = "42501", "55006"
_SESSIONS = """
SELECT pid, backend_start, datname AS database, usename AS role, coalesce(application_name, '') AS application,
       coalesce(host(client_addr), 'local') AS address, coalesce(state, 'unknown') AS state
FROM pg_catalog.pg_stat_activity
WHERE datname = ANY(%(databases)s) AND backend_type IN ('client backend', 'walsender') AND pid <> pg_catalog.pg_backend_pid()
ORDER BY backend_start
"""
_PREPARED = "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = ANY(%(databases)s)"
_THERE = "SELECT datname FROM pg_catalog.pg_database WHERE datname = ANY(%(databases)s)"
_END = """
SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
WHERE pid = %(pid)s AND backend_start = %(backend_start)s
"""


class SwapRefusedError(HeadgateError):
    """The databases were not swapped; both are as they were."""

    status = 409
    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session on one of the two databases."""

    pid: int
    #: ISO 8601
    since: str
    database: str
    role: str
    application: str
    address: str
    state: str

    @property
    def kind(self) -> tuple[str, str, str]:
        """Who it is, whatever its pid: a pool connects anew all the time."""
        return self.role, self.application, self.address

    @property
    def text(self) -> str:
        """``billing as app from 10.0.0.7 (pid 4711)``."""
        return f"{self.application or 'a nameless application'} as {self.role} from {self.address} (pid {self.pid})"

    def as_json(self) -> dict[str, Any]:
        """What is kept and shown."""
        return {
            "pid": self.pid,
            "since": self.since,
            "database": self.database,
            "role": self.role,
            "application": self.application,
            "address": self.address,
            "state": self.state,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapOrder:
    """Which database takes the place of which."""

    dsn: str
    #: the name that the application connects to
    live: str
    #: the database that gets that name
    comes: str
    #: the name that the old one gets
    goes: str
    #: kinds of sessions that a person agreed to end; others stop the swap
    may_end: frozenset[tuple[str, str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """What happened."""

    ended: tuple[Session, ...]
    #: from the wish for the lock to the commit: as long as new connections may have waited
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """What is kept and shown."""
        return {"ended": [session.as_json() for session in self.ended], "seconds": round(self.seconds, 3)}


def sessions_on(dsn: str, databases: Sequence[str]) -> tuple[Session, ...]:
    """Everybody who is connected to these databases."""
    with on_server(dsn, purpose="swap", but=databases) as target:
        return _sessions(target, databases)


def swap(order: SwapOrder) -> Swapped:
    """Swap, or leave everything as it is.

    Raises SwapRefusedError that names who is in the way, NotAllowedThereError, TargetError.
    """
    both = (order.live, order.comes)
    with on_server(order.dsn, purpose="swap", but=both) as target, on_server(order.dsn, purpose="swap ends", but=both) as other:
        if _happened(target, order):
            return Swapped(ended=(), seconds=0.0)
        _refuse_missing(target, order)
        _refuse_strangers(_sessions(other, both), order)
        ending = _Ending(other, order)
        started = time.monotonic()
        try:
            with ending, target.transaction(lock_timeout_ms=_LOCK_MS):
                # the server itself waits five seconds for sessions to go, while they are ended from the other session
                target.execute(_rename(order.live, order.goes))
                target.execute(_rename(order.comes, order.live))
        except TargetError as error:
            raise _refusal(error, other, order) from error
        return Swapped(ended=tuple(ending.ended), seconds=time.monotonic() - started)


class _Ending:
    """Ends sessions that may be ended, again and again, until the renames went through or failed."""

    def __init__(self, target: Target, order: SwapOrder) -> None:
        self._target, self._order = target, order
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._end, name="swap ends sessions", daemon=True)
        self.ended: list[Session] = []

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _end(self) -> None:
        seen: set[tuple[int, str]] = set()
        while not self._over.is_set():
            with suppress(TargetError):
                for session in _sessions(self._target, (self._order.live, self._order.comes)):
                    if session.kind in self._order.may_end:
                        self._target.all(_END, {"pid": session.pid, "backend_start": session.since})
                        if (session.pid, session.since) not in seen:
                            seen.add((session.pid, session.since))
                            self.ended.append(session)
            self._over.wait(_LOOK_SECONDS)


def _sessions(target: Target, databases: Collection[str]) -> tuple[Session, ...]:
    rows = target.all(_SESSIONS, {"databases": list(databases)})
    return tuple(
        Session(
            pid=row["pid"],
            since=row["backend_start"].isoformat(),
            database=row["database"],
            role=row["role"] or "",
            application=row["application"],
            address=row["address"],
            state=row["state"],
        )
        for row in rows
    )


def _happened(target: Target, order: SwapOrder) -> bool:
    """True where an earlier attempt swapped and could not say so any more."""
    there = {row["datname"] for row in target.all(_THERE, {"databases": [order.live, order.comes, order.goes]})}
    return there == {order.live, order.goes}


def _refuse_missing(target: Target, order: SwapOrder) -> None:
    names = [order.live, order.comes, order.goes]
    there = {row["datname"] for row in target.all(_THERE, {"databases": names})}
    for name in (order.live, order.comes):
        if name not in there:
            raise SwapRefusedError(f"There is no database named {name} on the server any more.")
    if order.goes in there:
        raise SwapRefusedError(
            f"A database named {order.goes} exists, and the old one should get that name.", hint="Rename or drop it first."
        )
    prepared = target.all(_PREPARED, {"databases": [order.live, order.comes]})
    if prepared:
        raise SwapRefusedError(
            f"A prepared transaction is open: {prepared[0]['gid']}.", hint="COMMIT PREPARED or ROLLBACK PREPARED it first."
        )


def _refuse_strangers(sessions: Iterable[Session], order: SwapOrder) -> None:
    strangers = [session.text for session in sessions if session.kind not in order.may_end]
    if strangers:
        raise SwapRefusedError(
            f"Connected, and nobody agreed to end it: {'; '.join(strangers[:5])}.",
            hint="Look at the sessions again, and agree to end them, or stop the application first.",
        )


def _refusal(error: TargetError, other: Target, order: SwapOrder) -> HeadgateError:
    if error.sqlstate == _INSUFFICIENT_PRIVILEGE:
        return NotAllowedThereError(
            f"The role may not rename the databases: {error.message}",
            hint="It needs to own both, and CREATEDB; nothing was changed.",
            sqlstate=error.sqlstate,
        )
    if error.sqlstate == _IN_USE:
        left = "; ".join(session.text for session in _sessions(other, (order.live, order.comes))[:5])
        return SwapRefusedError(
            f"Sessions stayed, so nothing was swapped: {left or error.message}.",
            hint="Stop what connects again and again, look at the sessions, and try once more.",
        )
    return error


def _rename(old: str, new: str) -> sql.Composed:
    return sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
