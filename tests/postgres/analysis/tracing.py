"""What statements really take, rewrite and scan: run in one transaction that is undone, locks read from a second session."""

from dataclasses import dataclass
from typing import Self

import psycopg

from app.sql.lock_levels import MODES

_LOCKS = """
    SELECT l.relation::bigint, l.mode FROM pg_catalog.pg_locks AS l
     WHERE l.pid = %(pid)s AND l.locktype = 'relation' AND l.granted AND l.relation = ANY (%(oids)s)
"""
_FILES = "SELECT oid::bigint, pg_catalog.pg_relation_filenode(oid) FROM pg_catalog.pg_class WHERE oid = ANY (%(oids)s)"
#: counted since the session last reported, not since the transaction began
_SCANS = "SELECT relid::bigint, seq_scan FROM pg_catalog.pg_stat_xact_all_tables WHERE relid = ANY (%(oids)s)"
_RELATIONS = """
    SELECT c.oid::bigint, n.nspname || '.' || c.relname, c.relkind::text
      FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
_NAMES = {
    "AccessShareLock": "ACCESS SHARE",
    "RowShareLock": "ROW SHARE",
    "RowExclusiveLock": "ROW EXCLUSIVE",
    "ShareUpdateExclusiveLock": "SHARE UPDATE EXCLUSIVE",
    "ShareLock": "SHARE",
    "ShareRowExclusiveLock": "SHARE ROW EXCLUSIVE",
    "ExclusiveLock": "EXCLUSIVE",
    "AccessExclusiveLock": "ACCESS EXCLUSIVE",
}


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What the statements did together; relations that did not exist before are left out."""

    locks: dict[str, str]
    rewrites: frozenset[str]
    scans: frozenset[str]
    #: SQLSTATE and text of a refusal
    error: str | None = None


class Tracer:
    """Two sessions on one database: one that works, one that looks."""

    def __init__(self, dsn: str) -> None:
        self._session = psycopg.connect(dsn, autocommit=True)
        self._observer = psycopg.connect(dsn, autocommit=True)
        self._session.execute("SET TimeZone = 'UTC'; SET max_parallel_maintenance_workers = 0; SET statement_timeout = '60s'")
        rows = self._session.execute(_RELATIONS).fetchall()
        self._names = {oid: name for oid, name, _ in rows}
        self._oids = {"oids": list(self._names)}
        self._filed = {oid for oid, _, kind in rows if kind in "rm"}
        self._files = dict(self._session.execute(_FILES, self._oids).fetchall())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.close()
        self._observer.close()

    def trace(self, script: str) -> Trace:
        """Run the statements in a transaction, look, and undo them."""
        session = self._session
        session.execute("BEGIN")
        before = dict(session.execute(_SCANS, self._oids).fetchall())
        try:
            session.execute(script)
            locks: dict[str, str] = {}
            for oid, mode in self._observer.execute(_LOCKS, {"pid": session.info.backend_pid, **self._oids}):
                name = self._names[oid]
                locks[name] = max(locks.get(name, "ACCESS SHARE"), _NAMES[mode], key=MODES.index)
            files = session.execute(_FILES, self._oids).fetchall()
            scans = session.execute(_SCANS, self._oids).fetchall()
        except psycopg.Error as error:
            return Trace(
                locks={}, rewrites=frozenset(), scans=frozenset(), error=f"{error.sqlstate} {error.diag.message_primary}"
            )
        finally:
            session.execute("ROLLBACK")
        return Trace(
            locks=locks,
            rewrites=frozenset(self._names[oid] for oid, file in files if oid in self._filed and self._files[oid] != file),
            scans=frozenset(self._names[oid] for oid, count in scans if count > before.get(oid, 0)),
        )
