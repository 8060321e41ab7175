"""Restores a backup into a new database beside the old one; whatever fails, the old one stays as it was."""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import conninfo, sql

from app.backup.artifact import check_artifact
from app.backup.clients import connect_argument, connection_environment, find_client
from app.errors import HeadgateError
from app.target.errors import TargetError
from app.target.session import Target

_LOOK_SECONDS = 0.5
_TABLES = """
SELECT n.nspname AS schema, c.relname AS name
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1, 2
"""
_EXISTS = "SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = %(name)s) AS exists"
_LONGEST_NAME_BYTES = 63


class RestoreFailedError(HeadgateError):
    """pg_restore ended with an error; the new database was dropped, the old one is as it was."""

    status = 502
    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOrder:
    """What to restore, and into which new database of the same server."""

    dsn: str
    path: Path
    sha256: str
    new_database: str
    jobs: int = 2
    bin_dir: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A database that was made from a backup."""

    database: str
    seconds: float
    tables: int
    #: qualified table -> rows counted after the restore
    rows: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """What is kept with the restore."""
        return {"database": self.database, "seconds": self.seconds, "tables": self.tables, "rows": self.rows}


def restore(order: RestoreOrder) -> Generator[str, None, Restored]:
    """Check the backup, make the database, restore, and count; yields a sentence about what goes on.

    Raises BackupDamagedError, RestoreFailedError; then the new database is gone again.
    """
    started = time.monotonic()
    yield "Comparing the backup with its manifest"
    check_artifact(order.path, expected_sha256=order.sha256, bin_dir=order.bin_dir)
    _create(order)
    try:
        yield from _run(order)
        yield "Counting rows"
        rows = _count(order)
    except BaseException:
        _drop(order)
        raise
    return Restored(database=order.new_database, seconds=time.monotonic() - started, tables=len(rows), rows=rows)


def _create(order: RestoreOrder) -> None:
    if len(order.new_database.encode()) > _LONGEST_NAME_BYTES:
        raise RestoreFailedError(f"The name {order.new_database!r} is longer than {_LONGEST_NAME_BYTES} bytes.")
    with Target.connect(order.dsn, purpose="restore") as target:
        row = target.one(_EXISTS, {"name": order.new_database})
        if row and row["exists"]:
            raise RestoreFailedError(
                f"A database named {order.new_database!r} exists.", hint="Choose another name: a restore never writes over one."
            )
        try:
            target.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(order.new_database)))
        except TargetError as error:
            if error.sqlstate != "42501":
                raise
            grant = sql.SQL("ALTER ROLE {} CREATEDB;").format(sql.Identifier(target.connection.info.user))
            raise RestoreFailedError(
                "The role may not create databases.", hint=grant.as_string(target.connection), sqlstate=error.sqlstate
            ) from error


def _drop(order: RestoreOrder) -> None:
    with Target.connect(order.dsn, purpose="restore") as target:
        target.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(order.new_database)))


def _run(order: RestoreOrder) -> Generator[str, None, None]:
    program = find_client("pg_restore", order.bin_dir)
    arguments = ["--no-password", "--exit-on-error", "--no-owner", f"--jobs={order.jobs}"]
    arguments += [connect_argument(order.new_database), str(order.path)]
    with (
        connection_environment(order.dsn, application_name="headgate restore") as environment,
        tempfile.TemporaryFile("w+", errors="replace") as log,
        subprocess.Popen([program, *arguments], env=dict(environment), stdout=log, stderr=log) as process,
    ):
        try:
            while process.poll() is None:
                yield "Restoring"
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK_SECONDS)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if process.returncode != 0:
            log.seek(0)
            raise RestoreFailedError(f"pg_restore ended with status {process.returncode}: {log.read().strip()[:2000]}")


def _count(order: RestoreOrder) -> dict[str, int]:
    counts: dict[str, int] = {}
    dsn = conninfo.make_conninfo(order.dsn, dbname=order.new_database)
    with Target.connect(dsn, purpose="counts restored rows") as target:
        for table in target.all(_TABLES):
            name = sql.Identifier(table["schema"], table["name"])
            row = target.one(sql.SQL("SELECT count(*) AS rows FROM {}").format(name))
            counts[f"{table['schema']}.{table['name']}"] = int(row["rows"]) if row else 0
    return counts
