"""What a statement really takes, rewrites and scans: measured in its own transaction, locks read from a second session."""

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from app.sql.lock_levels import MODES

_LOCKS = """
    SELECT n.nspname || '.' || c.relname AS relation, l.mode
      FROM pg_catalog.pg_locks AS l
      JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE l.pid = %(pid)s AND l.locktype = 'relation' AND l.granted AND c.relkind IN ('r', 'p', 'm', 'v', 'f')
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
_FILES = """
    SELECT n.nspname || '.' || c.relname, pg_catalog.pg_relation_filenode(c.oid)
      FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
       AND c.oid = ANY (%(oids)s)
"""
_SCANS = """
    SELECT schemaname || '.' || relname, seq_scan FROM pg_catalog.pg_stat_xact_all_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND relid = ANY (%(oids)s)
"""
_TABLES = """
    SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
_RELATIONS = """
    SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
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
    """What the last statement did; relations that did not exist before are left out."""

    locks: dict[str, str]
    rewrites: frozenset[str]
    scans: frozenset[str]
    error: str | None = None


def trace(dsn: str, statements: Iterable[str]) -> Trace:
    """Run all but the last statement for good, measure the last in a transaction, and undo that."""
    *before, last = statements
    with psycopg.connect(dsn, autocommit=True) as session, psycopg.connect(dsn, autocommit=True) as observer:
        session.execute("SET TimeZone = 'UTC'")
        session.execute("SET max_parallel_maintenance_workers = 0")
        for statement in before:
            session.execute(statement)
        oids = [row[0] for row in session.execute(_TABLES)]
        session.execute("BEGIN")
        files = dict(session.execute(_FILES, {"oids": oids}).fetchall())
        scans = dict(session.execute(_SCANS, {"oids": oids}).fetchall())
        existing = {
            row[0]
            for row in session.execute(
                "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            )
        }
        try:
            session.execute(last)
        except psycopg.Error as error:
            return Trace(locks={}, rewrites=frozenset(), scans=frozenset(), error=error.sqlstate)
        locks: dict[str, str] = {}
        for relation, mode in observer.execute(_LOCKS, {"pid": session.info.backend_pid}):
            if relation in existing:
                locks[relation] = max(locks.get(relation, "ACCESS SHARE"), _NAMES[mode], key=MODES.index)
        after = dict(session.execute(_FILES, {"oids": oids}).fetchall())
        seen = dict(session.execute(_SCANS, {"oids": oids}).fetchall())
        session.execute("ROLLBACK")
        return Trace(
            locks=locks,
            rewrites=frozenset(name for name, file in files.items() if after.get(name, file) != file),
            scans=frozenset(name for name, count in seen.items() if count > scans.get(name, 0)),
        )
