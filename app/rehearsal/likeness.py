"""Makes the shadow plan as the target does: its statistics, its planner's settings, and files as large as its own, but empty.

The planner multiplies the density that statistics know by the real size of a file, and an empty file plans as an empty table.
So while known statements are planned the files are as large as the target's (sparse: no disk is used), and while the plan itself
runs they are empty again: a scan of a terabyte of nothing would take its time.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psycopg

from app.backup.clients import access, client_major, connect_argument, find_client
from app.backup.process import run_client
from app.target.session import Target

#: pg_dump and the server know statistics as a part of a dump from this version on
_STATISTICS_SINCE = 18
_SEGMENT_BYTES = 1024**3
#: what changes the planner's choice, besides statistics
_SETTINGS = (
    "search_path", "random_page_cost", "seq_page_cost", "cpu_tuple_cost", "cpu_index_tuple_cost", "cpu_operator_cost",
    "effective_cache_size", "work_mem", "hash_mem_multiplier", "max_parallel_workers_per_gather", "parallel_setup_cost",
    "parallel_tuple_cost", "min_parallel_table_scan_size", "min_parallel_index_scan_size", "jit", "enable_seqscan",
    "enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan", "enable_nestloop", "enable_hashjoin", "enable_mergejoin",
    "enable_partitionwise_join", "enable_partitionwise_aggregate", "default_statistics_target",
)  # fmt: skip
_ASKED = "SELECT name, pg_catalog.current_setting(name) AS value FROM pg_catalog.pg_settings WHERE name = ANY(%(names)s)"
_SIZES = """
SELECT pg_catalog.pg_relation_filepath(c.oid), c.relpages::bigint * pg_catalog.current_setting('block_size')::bigint
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relpages > 0 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
_HOME = """
SELECT pg_catalog.current_setting('data_directory'),
       extract(epoch FROM pg_catalog.pg_postmaster_start_time())::bigint
"""


@dataclass(slots=True, kw_only=True)
class Likeness:
    """How much the shadow is like the target, and the means to make it so for a moment."""

    shadow_dsn: str
    #: pg_dump's archive of the statistics, and the program that reads it; None where the versions can't
    archive: IO[bytes] | None = None
    restore: Path | None = None
    #: the shadow server's data directory where its files are ours to change; None where they are not
    home: Path | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def compares_costs(self) -> bool:
        """True where costs are of tables with the target's statistics and sizes."""
        return self.archive is not None and self.home is not None

    @contextmanager
    def in_force(self, connection: psycopg.Connection) -> Iterator[None]:
        """While it lasts, the shadow plans as the target does; ``connection`` is one of the shadow's, in autocommit mode."""
        self._restore_statistics()
        grown = self._grow(connection) if self.compares_costs else []
        try:
            yield
        finally:
            for path, size in grown:
                _shrink(path, size)

    def _restore_statistics(self) -> None:
        """Statistics by name, again and again: an index build or a rewrite forgets them. What is gone or renamed is left out."""
        if self.archive is None or self.restore is None:
            return
        with access(self.shadow_dsn, application_name="headgate rehearsal") as reach:
            run_client(self.restore, ["--no-password", connect_argument()], reach, reads=self.archive)

    def _grow(self, connection: psycopg.Connection) -> list[tuple[Path, int]]:
        if self.home is None:
            return []
        grown: list[tuple[Path, int]] = []
        for name, wanted in connection.execute(_SIZES).fetchall():
            path = self.home / str(name)
            size = path.stat().st_size
            if wanted > size:
                grown.append((path, size))
                _grow_file(path, int(wanted))
        return grown


@contextmanager
def likeness(target_dsn: str, shadow_dsn: str, *, bin_dir: Path | None, copies_statistics: bool) -> Iterator[Likeness]:
    """What can be had of the target's statistics, sizes and settings for its shadow.

    ``copies_statistics``: False where no value of a row may leave the target; statistics hold the most common ones.
    """
    made = Likeness(shadow_dsn=shadow_dsn)
    with ExitStack() as stack:
        if copies_statistics:
            # a file without a name: statistics hold values of rows, and a kill leaves none of them on the disk
            _dump_statistics(made, target_dsn, stack.enter_context(tempfile.TemporaryFile()), bin_dir)
        else:
            made.notes.append("The policy keeps statistics on the target: costs are those of empty tables.")
        yield made


def copy_settings(target_dsn: str, connections: Sequence[psycopg.Connection]) -> None:
    """Give sessions of the shadow the search path and the planner's settings that the target has."""
    with Target.connect(target_dsn, purpose="rehearsal", allow_standby=True) as target:
        settings = target.all(_ASKED, {"names": list(_SETTINGS)})
    for connection in connections:
        for row in settings:
            _set(connection, row)


def _set(connection: psycopg.Connection, row: dict[str, Any]) -> None:
    try:
        connection.execute("SELECT pg_catalog.set_config(%(name)s, %(value)s, false)", row)
    except psycopg.errors.UndefinedObject:
        return  # the shadow is of another version and has no such setting


def _dump_statistics(made: Likeness, target_dsn: str, archive: IO[bytes], bin_dir: Path | None) -> None:
    dump, restore = find_client("pg_dump", bin_dir), find_client("pg_restore", bin_dir)
    with psycopg.connect(made.shadow_dsn, autocommit=True) as shadow:
        version = shadow.info.server_version // 10000
        if min(version, client_major(dump)) < _STATISTICS_SINCE:
            made.notes.append(
                f"Statistics can't be copied before PostgreSQL {_STATISTICS_SINCE} (shadow {version}, pg_dump "
                f"{client_major(dump)}): a query's plan is that of empty tables."
            )
            return
        made.home = _home_of(shadow, made.notes)
    arguments = ["--no-password", "--statistics-only", "--format=custom", connect_argument()]
    with access(target_dsn, application_name="headgate rehearsal") as reach:
        ended = run_client(dump, arguments, reach, writes=archive)
    if ended.returncode != 0:
        made.notes.append(f"The statistics could not be copied: {' '.join(ended.stderr.split()[:30])}")
        return
    made.archive, made.restore = archive, restore


def _home_of(shadow: psycopg.Connection, notes: list[str]) -> Path | None:
    """The shadow server's data directory, where it is on this machine, that very server's, and writable."""
    try:
        row = shadow.execute(_HOME).fetchone()
        home, started = Path(str(row[0] if row else "")), int(row[1] if row else 0)
        lines = (home / "postmaster.pid").read_text().splitlines()
        if abs(int(lines[2]) - started) <= 1 and os.access(home / "base", os.W_OK):
            return home
    except (psycopg.Error, OSError, ValueError, IndexError):
        pass
    notes.append("The shadow server's files are not Headgate's: what breaks is exact, costs are those of empty tables.")
    return None


def _grow_file(path: Path, wanted: int) -> None:
    """A main file of that size, in the segments that PostgreSQL makes; holes, no disk."""
    number = 0
    while wanted > 0:
        segment = path if number == 0 else path.with_name(f"{path.name}.{number}")
        segment.touch()
        os.truncate(segment, min(wanted, _SEGMENT_BYTES))
        wanted -= _SEGMENT_BYTES
        number += 1


def _shrink(path: Path, size: int) -> None:
    """The file as it was; one that the plan has replaced meanwhile is gone."""
    number = 1
    while (segment := path.with_name(f"{path.name}.{number}")).exists():
        segment.unlink()
        number += 1
    if path.exists():
        os.truncate(path, size)
