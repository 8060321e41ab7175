"""Runs pg_dump and reports as it goes: bytes written, the table it is at; a dump that is stopped leaves nothing behind."""

import contextlib
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.backup.artifact import Artifact, Format, manifest_path, seal_artifact
from app.backup.clients import connect_argument, connection_environment, find_client, require_not_older
from app.errors import HeadgateError
from app.target.session import Target

_LOOK_SECONDS = 0.5
_END_SECONDS = 10
_CURRENT = re.compile(r'dumping contents of table "([^"]+)"')
# Compressed dumps are smaller than the heap, indexes are not dumped at all: the tables' own size is a safe upper bound.
_SOURCE = """
SELECT coalesce(sum(pg_catalog.pg_table_size(c.oid)), 0)::bigint AS bytes, count(*)::int AS tables
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND (%(tables)s::text[] IS NULL OR n.nspname || '.' || c.relname = ANY(%(tables)s::text[]))
"""


class BackupFailedError(HeadgateError):
    """pg_dump ended with an error; nothing was kept of the attempt."""

    status = 502
    exit_code = 1


class DiskFullError(BackupFailedError):
    """The disk that backups go to has not enough room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpOrder:
    """What to dump, and where to."""

    dsn: str
    #: the finished backup's path; it must not exist yet
    path: Path
    format: Format = "directory"
    #: parallel workers of pg_dump; only the directory format has them
    jobs: int = 2
    #: qualified tables, or empty for the whole database
    tables: tuple[str, ...] = ()
    bin_dir: Path | None = None
    application_name: str = "headgate backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpProgress:
    """How far the dump is."""

    bytes_written: int
    source_bytes: int
    tables_total: int
    tables_begun: int
    #: the table that pg_dump began last
    current: str | None


def measure_source(dsn: str, tables: tuple[str, ...]) -> tuple[int, int, int]:
    """Bytes and number of the tables that would be dumped, and the server's version number."""
    with Target.connect(dsn, purpose="backup", allow_standby=True) as target:
        row = target.one(_SOURCE, {"tables": list(tables) or None}) or {"bytes": 0, "tables": 0}
        return int(row["bytes"]), int(row["tables"]), target.server_version_num


def dump(order: DumpOrder) -> Generator[DumpProgress, None, Artifact]:
    """Dump, yielding progress about twice a second; returns the verified artifact.

    Closing the generator ends pg_dump and removes what it wrote. Raises BackupFailedError, DiskFullError, BackupDamagedError.
    """
    program = find_client("pg_dump", order.bin_dir)
    source_bytes, tables, server_version_num = measure_source(order.dsn, order.tables)
    require_not_older(program, server_version_num)
    if order.tables and tables < len(order.tables):
        raise BackupFailedError(f"Not every table of the backup exists: {', '.join(order.tables)}.", hint="Check their names.")
    order.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _require_room(order.path.parent, source_bytes)
    partial = order.path.with_name(order.path.name + ".partial")
    _remove(partial)
    try:
        yield from _run(order, program, partial, source_bytes, tables)
        partial.rename(order.path)
        return seal_artifact(order.path, order.format, bin_dir=order.bin_dir)
    except BaseException:
        _remove(partial)
        _remove(order.path)
        manifest_path(order.path).unlink(missing_ok=True)
        raise


def _run(order: DumpOrder, program: Path, partial: Path, source_bytes: int, tables: int) -> Generator[DumpProgress, None, None]:
    with (
        connection_environment(order.dsn, application_name=order.application_name) as environment,
        tempfile.TemporaryFile("w+", errors="replace") as log,
        subprocess.Popen([program, *_arguments(order, partial)], env=dict(environment), stdout=log, stderr=log) as process,
    ):
        try:
            while process.poll() is None:
                begun = _begun(log)
                yield DumpProgress(
                    bytes_written=_size(partial),
                    source_bytes=source_bytes,
                    tables_total=tables,
                    tables_begun=len(begun),
                    current=begun[-1] if begun else None,
                )
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK_SECONDS)
        finally:
            _end(process)
        if process.returncode != 0:
            raise BackupFailedError(f"pg_dump ended with status {process.returncode}: {_last_error(log)}", hint=_hint(log))


def _arguments(order: DumpOrder, partial: Path) -> list[str]:
    arguments = ["--no-password", "--verbose", f"--format={order.format}", f"--file={partial}", connect_argument()]
    if order.format == "directory":
        arguments.append(f"--jobs={order.jobs}")
    for table in order.tables:
        schema, _, name = table.partition(".")
        arguments.append(f'--table="{_escape(schema)}"."{_escape(name)}"')
    return arguments


def _escape(identifier: str) -> str:
    return identifier.replace('"', '""')


def _begun(log: IO[str]) -> list[str]:
    return _CURRENT.findall(_text(log))


def _last_error(log: IO[str]) -> str:
    errors = [line for line in _text(log).splitlines() if "error" in line.lower()]
    return (errors or _text(log).splitlines() or ["no message"])[0]


def _hint(log: IO[str]) -> str | None:
    if "permission denied" in _text(log):
        return "The role must be able to read every table: GRANT pg_read_all_data TO the role that Headgate uses."
    if "No space left" in _text(log):
        return "Make room on the disk that backups go to, or set HEADGATE_BACKUP_DIR."
    return None


def _text(log: IO[str]) -> str:
    log.seek(0)
    return log.read()


def _require_room(directory: Path, source_bytes: int) -> None:
    free = shutil.disk_usage(directory).free
    if free < source_bytes:
        raise DiskFullError(
            f"The tables are {source_bytes:,} bytes, and the disk that backups go to has {free:,} free.",
            hint="Make room, or set HEADGATE_BACKUP_DIR to a larger disk.",
        )


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in list(path.iterdir()) if file.exists())
    return path.stat().st_size if path.exists() else 0


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    deadline = time.monotonic() + _END_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK_SECONDS)
    if process.poll() is None:
        process.kill()
        process.wait()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
