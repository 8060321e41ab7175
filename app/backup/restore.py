"""Restores a backup into a new database beside the old one; whatever fails, the old one stays as it was."""

import re
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from psycopg import conninfo, sql

from app.backup.beside import create_database, drop_database, refuse_name
from app.backup.clients import access, connect_argument, find_client, require_reader
from app.backup.compare import manifest_of
from app.backup.extensions import entries_without, forbidden, told
from app.backup.fetch import fetched
from app.backup.listing import list_entries
from app.backup.manifest import Manifest
from app.backup.place import Place
from app.backup.process import Client
from app.backup.progress import LOOK_SECONDS, Progress, Tally, Watched, watched
from app.backup.storage import storage_of
from app.errors import HeadgateError
from app.target.errors import TargetError
from app.target.session import Target

_BEGUN = re.compile(r'processing data for table "(.+)"$')
_TABLES = """
SELECT n.nspname AS schema, c.relname AS name
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1, 2
"""


class RestoreFailedError(HeadgateError):
    """pg_restore ended with an error; the new database was dropped, the old one is as it was."""

    status = 502
    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOrder:
    """What to restore, and into which new database."""

    #: the server; the database in it is only connected to, never changed
    dsn: str
    place: Place
    location: str
    sha256: str
    new_database: str
    #: written into the new database's comment: by it a later attempt knows what an earlier one left
    mark: str
    jobs: int = 2
    application_name: str = "headgate restore"
    #: the database whose encoding, owner, rights and settings the new one takes over; None: it only has to hold the rows
    like: str | None = None
    #: True for a test restore: it may be on a server without the roles, and nothing of it is used
    is_proof: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A database that was made from a backup, its rows counted and compared."""

    database: str
    seconds: float
    server_version_num: int
    manifest: Manifest
    #: qualified table -> rows counted after the restore
    rows: Mapping[str, int]
    #: qualified table -> rows at the dump's moment and rows now (None: the table is not there), where they differ
    differs: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)
    #: tables of the dump whose rows could not be counted when it was taken
    uncounted: tuple[str, ...] = ()
    #: what is not in the new database, and why; "" where everything is
    left_out: str = ""

    @property
    def is_equal(self) -> bool:
        """True where every table that was counted has as many rows as in the dump's moment."""
        return not self.differs

    def as_json(self) -> dict[str, Any]:
        """What is kept with the restore."""
        return {
            "database": self.database,
            "seconds": round(self.seconds, 2),
            "server_version_num": self.server_version_num,
            "tables": len(self.rows),
            "rows": dict(self.rows),
            "total_rows": sum(self.rows.values()),
            "is_equal": self.is_equal,
            "differs": {name: list(pair) for name, pair in self.differs.items()},
            "uncounted": list(self.uncounted),
            "left_out": self.left_out,
        }


def restore(order: RestoreOrder) -> Watched[Restored]:
    """Check the backup, make the database, restore, count, and compare; yields how far it is.

    Raises BackupDamagedError, BackupKeyError, ClientTooOldError, RestoreFailedError; then the new database is gone again.
    """
    started = time.monotonic()
    refuse_name(order.new_database)
    storage, name = storage_of(order.place, order.location)
    manifest = manifest_of(storage, name, order.sha256)
    program = find_client("pg_restore", order.place.bin_dir)
    require_reader(program, manifest.client_major)
    with fetched(order.place, order.location, manifest) as fetch:
        path = yield from fetch
        version = create_database(order.dsn, order.new_database, mark=order.mark, like=order.like, source=manifest)
        try:
            _make_schemas(order, manifest)
            entries = list_entries(path, bin_dir=order.place.bin_dir)
            with _in_new_database(order) as target:
                without = forbidden(target, entries)
            yield from _run(order, program, path, manifest, entries_without(entries, without))
            rows = yield from watched("counting", lambda tally: _count(order, tally))
        except BaseException:
            drop_database(order.dsn, order.new_database, mark=order.mark)
            raise
    made = _compared(order, manifest, rows, seconds=time.monotonic() - started, version=version)
    return replace(made, left_out=" ".join(filter(None, [made.left_out, told(without, stays=not order.is_proof)])))


def _compared(order: RestoreOrder, manifest: Manifest, rows: Mapping[str, int], *, seconds: float, version: int) -> Restored:
    counted = {name: count for name, count in manifest.rows.items() if count is not None}
    left_out = "Indexes, constraints and triggers: they may refer to tables that are not in the backup."
    return Restored(
        database=order.new_database,
        seconds=seconds,
        server_version_num=version,
        manifest=manifest,
        rows=rows,
        differs={name: (count, rows.get(name)) for name, count in counted.items() if rows.get(name) != count},
        uncounted=tuple(name for name, count in manifest.rows.items() if count is None),
        left_out=left_out if order.is_proof and manifest.tables else "",
    )


def _run(
    order: RestoreOrder, program: Path, path: Path, manifest: Manifest, entries: Sequence[str]
) -> Generator[Progress, None, None]:
    """Run pg_restore on these entries of the dump."""
    with TemporaryFile() as wanted, access(order.dsn, application_name=order.application_name) as reach:
        wanted.write("\n".join(entries).encode())
        with Client(program, [*_arguments(order, manifest), str(path)], reach, reads=wanted) as client:
            yield from _follow(client, tables=len(manifest.rows))
            if client.returncode != 0:
                raise RestoreFailedError(
                    f"pg_restore ended with status {client.returncode}: {client.complaint()}",
                    hint="The new database was dropped; nothing else was changed.",
                )


def _follow(client: Client, *, tables: int) -> Generator[Progress, None, None]:
    begun, current, is_over = 0, None, False
    while not is_over:
        is_over = client.wait(LOOK_SECONDS)
        for line in client.lines():
            if found := _BEGUN.search(line):
                begun, current = begun + 1, found[1]
        yield Progress(phase="restoring", tables_done=begun, tables_total=tables, current=current)


def _arguments(order: RestoreOrder, manifest: Manifest) -> list[str]:
    arguments = ["--no-password", "--verbose", "--exit-on-error", f"--jobs={order.jobs}", "--use-list=/dev/stdin"]
    arguments.append(connect_argument(order.new_database))
    if order.is_proof:
        arguments += ["--no-owner", "--no-privileges", "--no-tablespaces", "--no-publications", "--no-subscriptions"]
        if manifest.tables:
            arguments += ["--section=pre-data", "--section=data"]
    return arguments


def _make_schemas(order: RestoreOrder, manifest: Manifest) -> None:
    """A dump of some tables leaves their schemas out."""
    schemas = sorted({table.partition(".")[0] for table in manifest.tables})
    if not schemas:
        return
    with _in_new_database(order) as target:
        for schema in schemas:
            target.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))


def _count(order: RestoreOrder, tally: Tally) -> dict[str, int]:
    """Rows of every table; where the database may be used, with statistics, without which its first queries would be slow."""
    counts: dict[str, int] = {}
    with _in_new_database(order) as target:
        tally.on_stop = partial(_cancel, target)
        for table in target.all(_TABLES):
            tally.current = f"{table['schema']}.{table['name']}"
            name = sql.Identifier(table["schema"], table["name"])
            if not order.is_proof:
                target.execute(sql.SQL("ANALYZE {}").format(name))
            row = target.one(sql.SQL("SELECT count(*) AS rows FROM ONLY {}").format(name))
            counts[tally.current] = int(row["rows"]) if row else 0
            tally.add(0)
    return counts


def _in_new_database(order: RestoreOrder) -> Target:
    purpose = order.application_name.removeprefix("headgate ")
    return Target.connect(conninfo.make_conninfo(order.dsn, dbname=order.new_database), purpose=f"{purpose} rows")


def _cancel(target: Target) -> None:
    with suppress(TargetError):
        target.cancel()
