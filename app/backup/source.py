"""What is to be dumped, seen in the very snapshot that pg_dump then reads: tables, their sizes, and their rows."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from psycopg import sql

from app.errors import HeadgateError
from app.target.errors import LockNotGrantedError, TargetError
from app.target.session import Target

# A partitioned table that is named stands for its partitions: pg_dump --table alone would dump none of its rows.
# What belongs to an extension is made by the extension, its tables are not dumped.
_TABLES = """
WITH named AS (
    SELECT c.oid, c.relkind, n.nspname || '.' || c.relname AS name
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND c.relpersistence <> 't'
      AND (%(tables)s::text[] IS NULL OR n.nspname || '.' || c.relname = ANY(%(tables)s::text[]))
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), wanted AS (
    SELECT oid FROM named
    UNION SELECT t.relid FROM named AS p, pg_catalog.pg_partition_tree(p.oid) AS t WHERE p.relkind = 'p'
)
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind
FROM wanted JOIN pg_catalog.pg_class AS c ON c.oid = wanted.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY 2, 3
"""
# pg_table_size waits for whoever holds a table with ACCESS EXCLUSIVE; the estimate of the last VACUUM waits for nobody.
_SIZES = "SELECT oid, pg_catalog.pg_table_size(oid) AS bytes FROM pg_catalog.pg_class WHERE relkind IN ('r', 'm')"
_ESTIMATES = """
SELECT oid, relpages::bigint * pg_catalog.current_setting('block_size')::int AS bytes
FROM pg_catalog.pg_class WHERE relkind IN ('r', 'm')
"""
_SIZES_LOCK_MS = 300
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_EXPORT = "SELECT pg_catalog.pg_export_snapshot() AS snapshot"
_END_EARLIER = """
SELECT pg_catalog.pg_terminate_backend(pid, 5000) FROM pg_catalog.pg_stat_activity
WHERE starts_with(application_name, %(name)s) AND pid <> pg_catalog.pg_backend_pid()
  AND datname = pg_catalog.current_database() AND usename = current_user
"""


class UnknownTableError(HeadgateError):
    """A table that should be backed up does not exist."""

    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable:
    """One table, partition, materialized view, or partitioned table."""

    schema: str
    name: str
    #: as pg_class has it: r, p, m
    kind: str
    bytes: int

    @property
    def qualified(self) -> str:
        """``public.users``."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What pg_dump will read."""

    database: str
    server_version_num: int
    #: the name of the snapshot that pg_dump is given, "" where it takes its own
    snapshot: str
    tables: tuple[SourceTable, ...]

    @property
    def bytes(self) -> int:
        """The tables' own size; indexes are not dumped."""
        return sum(table.bytes for table in self.tables)

    @property
    def with_rows(self) -> tuple[SourceTable, ...]:
        """Those whose rows are written into the dump."""
        return tuple(table for table in self.tables if table.kind == "r")


def measure(dsn: str, tables: Sequence[str] = ()) -> Source:
    """Tables and sizes as they are now.

    Raises UnknownTableError that names each table that does not exist, TargetUnreachableError.
    """
    with Target.connect(dsn, purpose="backup", allow_standby=True) as target:
        return _read(target, tables, _sizes(target), snapshot="")


@contextmanager
def frozen(dsn: str, tables: Sequence[str], *, name: str) -> Iterator[Source]:
    """The source at one moment: pg_dump and whoever counts see the same rows until the block ends.

    Sessions of an earlier attempt of that name are ended first: its worker is gone. Raises UnknownTableError, TargetError.
    """
    purpose = name.removeprefix("headgate ")
    with Target.connect(dsn, purpose=f"{purpose} snapshot", allow_standby=True) as target:
        target.all(_END_EARLIER, {"name": name})
        sizes = _sizes(target)
        target.execute("SET idle_in_transaction_session_timeout = 0")
        target.execute(_BEGIN)
        row = target.one(_EXPORT) or {}
        yield _read(target, tables, sizes, snapshot=str(row["snapshot"]))


def _sizes(target: Target) -> Mapping[int, int]:
    """Bytes by oid; estimates where a table is held."""
    try:
        with target.transaction(lock_timeout_ms=_SIZES_LOCK_MS):
            rows = target.all(_SIZES)
    except LockNotGrantedError:
        rows = target.all(_ESTIMATES)
    return {row["oid"]: row["bytes"] or 0 for row in rows}


def _read(target: Target, tables: Sequence[str], sizes: Mapping[int, int], *, snapshot: str) -> Source:
    found = tuple(
        SourceTable(schema=row["schema"], name=row["name"], kind=row["kind"], bytes=sizes.get(row["oid"], 0))
        for row in target.all(_TABLES, {"tables": list(tables) or None})
    )
    missing = sorted(set(tables) - {table.qualified for table in found})
    if missing:
        raise UnknownTableError(
            f"There is no table {', '.join(missing)} in {target.connection.info.dbname}.",
            hint="Name tables as schema.table, as they are in the catalog; views and sequences are not dumped by themselves.",
        )
    return Source(
        database=target.connection.info.dbname,
        server_version_num=target.server_version_num,
        snapshot=snapshot,
        tables=found,
    )


class Counter:
    """Counts the rows of the snapshot in a session of its own while pg_dump reads them; what it can't count stays unknown."""

    def __init__(self, dsn: str, source: Source, *, name: str) -> None:
        """Begin to count in the background."""
        self.rows: dict[str, int | None] = dict.fromkeys((table.qualified for table in source.with_rows), None)
        self._source = source
        self._stop = threading.Event()
        purpose = name.removeprefix("headgate ")
        self._target = Target.connect(dsn, purpose=f"{purpose} rows", allow_standby=True)
        self._thread = threading.Thread(target=self._count, name="backup rows", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """True where every table was tried within so many seconds."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Count no more; the session is gone when this returns."""
        self._stop.set()
        if self._thread.is_alive():
            with suppress(TargetError):
                self._target.cancel()
        self._thread.join()

    def _count(self) -> None:
        with self._target as target:
            # a table that was held is tried once more when the others are counted
            for table in (*self._source.with_rows, *self._source.with_rows):
                if self._stop.is_set():
                    return
                if self.rows[table.qualified] is None:
                    with suppress(TargetError):
                        self.rows[table.qualified] = _rows(target, self._source.snapshot, table)


def _rows(target: Target, snapshot: str, table: SourceTable) -> int:
    """Rows of one table as the snapshot has them; a transaction for each, so that no lock is held for longer than needed."""
    name = sql.Identifier(table.schema, table.name)
    target.execute(_BEGIN)
    try:
        target.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        target.execute("SET LOCAL row_security = off")
        row = target.one(sql.SQL("SELECT count(*) AS rows FROM ONLY {}").format(name))
        return int(row["rows"]) if row else 0
    finally:
        target.execute("ROLLBACK")
