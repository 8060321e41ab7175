"""What a statement really does: its locks seen from a second session, rewrites by file node, scans by counters, WAL by position.

The own session can't be asked for its locks: a dropped table's lock disappears from its own join with pg_class (measured).
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from app.target.errors import TargetError, from_psycopg

_RELATIONS = """
SELECT c.oid::bigint, n.nspname || '.' || c.relname, c.relkind::text, pg_catalog.pg_relation_filenode(c.oid)::bigint
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
_SCANS = "SELECT relid::bigint, seq_scan FROM pg_catalog.pg_stat_xact_user_tables"
_LOCKS = """
SELECT DISTINCT relation::bigint, mode FROM pg_catalog.pg_locks
WHERE pid = %(pid)s AND granted AND locktype = 'relation' AND relation IS NOT NULL
"""
_WAL = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint"
_POLL_SECONDS = 0.002

#: Weakest first, as PostgreSQL's manual lists them (13.3, Explicit Locking).
MODES = (
    "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)  # fmt: skip
_SPELLED = {mode.title().replace(" ", "") + "Lock": mode for mode in MODES}


@dataclass(frozen=True, slots=True, kw_only=True)
class LockSeen:
    """A lock on a relation that was there before the statement."""

    relation: str
    mode: str
    held_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementTrace:
    """One statement as it ran on the shadow."""

    index: int
    step: str
    phase: str
    sql: str
    duration_ms: float
    locks: tuple[LockSeen, ...] = ()
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    wal_bytes: int = 0
    error: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """A statement of the contract's rehearse document."""
        return {
            "index": self.index,
            "step": self.step,
            "phase": self.phase,
            "sql": self.sql,
            "duration_ms": round(self.duration_ms, 3),
            "locks": [{"relation": lock.relation, "mode": lock.mode, "held_ms": round(lock.held_ms, 3)} for lock in self.locks],
            "rewrites": list(self.rewrites),
            "scans": list(self.scans),
            "wal_bytes": self.wal_bytes,
            "error": self.error,
        }


@dataclass(slots=True)
class _Begun:
    """What a statement found: relations, their scans so far, the WAL position."""

    relations: dict[int, tuple[str, str, int | None]]
    scans: dict[int, int] = field(default_factory=dict)
    wal: int = 0


class Tracer:
    """Runs statements on one session of the shadow and watches from another."""

    def __init__(self, runner: psycopg.Connection, observer: psycopg.Connection) -> None:
        """Both in autocommit mode; the tracer opens transactions itself."""
        self._runner = runner
        self._observer = observer
        self._index = 0
        self._open: list[tuple[StatementTrace, float]] = []
        self._held: dict[str, str] = {}
        self._failed: list[StatementTrace] = []
        runner.execute("SET max_parallel_maintenance_workers = 0")

    @contextmanager
    def transaction(self) -> Iterator[list[StatementTrace]]:
        """Statements run inside are one transaction; the list is filled when it has ended, with the time each lock was held."""
        ended: list[StatementTrace] = []
        self._open, self._held = [], {}
        try:
            with self._runner.transaction():
                yield ended
        except TargetError:
            self._failed = [trace for trace, _ in self._open]
            raise
        finally:
            now = time.monotonic()
            for trace, since in self._open:
                locks = tuple(replace(lock, held_ms=(now - since) * 1000) for lock in trace.locks)
                ended.append(replace(trace, locks=locks))
            self._open = []

    def run(self, text: str, *, step: str, phase: str) -> StatementTrace:
        """Run one statement inside the open transaction; Raises TargetError after keeping its trace."""
        begun = self._look()
        started = time.monotonic()
        error = self._try(text)
        duration_ms = (time.monotonic() - started) * 1000
        self._index += 1
        trace = StatementTrace(index=self._index, step=step, phase=phase, sql=text, duration_ms=duration_ms)
        trace = replace(trace, error=error.as_json()) if error else self._compared(trace, begun)
        self._open.append((trace, started))
        if error:
            raise error
        return trace

    def run_alone(self, text: str, *, step: str, phase: str) -> StatementTrace:
        """Run one statement that refuses a transaction; its locks are polled, so short ones may be missed."""
        names = {oid: name for oid, (name, _, _) in self._relations().items()}
        seen: dict[str, str] = {}
        wal, started = self._wal(), time.monotonic()
        outcome: list[TargetError | None] = []
        thread = threading.Thread(target=lambda: outcome.append(self._try(text)), daemon=True)
        thread.start()
        while thread.is_alive():
            self._strongest(names, seen)
            thread.join(_POLL_SECONDS)
        duration_ms = (time.monotonic() - started) * 1000
        self._index += 1
        error = outcome[0] if outcome else None
        trace = StatementTrace(
            index=self._index,
            step=step,
            phase=phase,
            sql=text,
            duration_ms=duration_ms,
            locks=tuple(LockSeen(relation=name, mode=mode, held_ms=duration_ms) for name, mode in sorted(seen.items())),
            wal_bytes=self._wal() - wal,
            error=error.as_json() if error else None,
        )
        if error:
            self._failed = [trace]
            raise error
        return trace

    def ended_by_error(self) -> list[StatementTrace]:
        """The traces of the transaction that failed, with the failing statement last."""
        failed, self._failed = self._failed, []
        return failed

    def _try(self, text: str) -> TargetError | None:
        try:
            self._runner.execute(text.encode())
        except psycopg.Error as error:
            return from_psycopg(error, text)
        return None

    def _look(self) -> _Begun:
        return _Begun(relations=self._relations(), scans=self._scans(), wal=self._wal())

    def _compared(self, trace: StatementTrace, begun: _Begun) -> StatementTrace:
        names = {oid: name for oid, (name, _, _) in begun.relations.items()}
        after = self._relations()
        rewrites = [
            name for oid, (name, kind, node) in begun.relations.items() if kind in "rm" and oid in after and after[oid][2] != node
        ]
        scans = self._scans()
        scanned = [names[oid] for oid, count in scans.items() if oid in names and count > begun.scans.get(oid, 0)]
        seen: dict[str, str] = {}
        self._strongest(names, seen)
        fresh = {name: mode for name, mode in seen.items() if self._held_mode(name) < MODES.index(mode)}
        self._held.update(fresh)
        return replace(
            trace,
            locks=tuple(LockSeen(relation=name, mode=mode) for name, mode in sorted(fresh.items())),
            rewrites=tuple(sorted(rewrites)),
            scans=tuple(sorted(scanned)),
            wal_bytes=self._wal() - begun.wal,
        )

    def _held_mode(self, name: str) -> int:
        mode = self._held.get(name)
        return -1 if mode is None else MODES.index(mode)

    def _strongest(self, names: dict[int, str], seen: dict[str, str]) -> None:
        for oid, spelled in self._observer.execute(_LOCKS, {"pid": self._runner.info.backend_pid}).fetchall():
            mode = _SPELLED.get(spelled)
            if oid not in names or mode is None:
                continue
            known = seen.get(names[oid])
            if known is None or MODES.index(mode) > MODES.index(known):
                seen[names[oid]] = mode

    def _relations(self) -> dict[int, tuple[str, str, int | None]]:
        connection = self._runner
        return {oid: (name, kind, node) for oid, name, kind, node in connection.execute(_RELATIONS).fetchall()}

    def _scans(self) -> dict[int, int]:
        return dict(self._runner.execute(_SCANS).fetchall())

    def _wal(self) -> int:
        row = self._observer.execute(_WAL).fetchone()
        return int(row[0]) if row else 0
