"""Runs pg_dump and reports as it goes: bytes written, the table it is at; a dump that is stopped leaves nothing behind."""

import re
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.backup.clients import access, client_major, connect_argument, find_client, require_not_older
from app.backup.encryption import check_recipients
from app.backup.hashing import Follower
from app.backup.keep import Artifact, keep
from app.backup.listing import list_entries, tables_with_rows
from app.backup.manifest import Format, Manifest, StoredFile
from app.backup.place import Place
from app.backup.process import Client
from app.backup.progress import LOOK_SECONDS, Progress, Watched
from app.backup.room import require_room
from app.backup.source import Counter, Source, frozen
from app.backup.staging import staging
from app.backup.storage import BackupFailedError, DiskFullError, storage_of

#: ACCESS SHARE is all that pg_dump asks for: behind it only those queue who wait for the same holder anyway
LOCK_WAIT_MS = 10_000
_BEGUN = re.compile(r'dumping contents of table "(.+)"$')


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpOrder:
    """What to dump, and where to."""

    dsn: str
    place: Place
    #: of the backup, the same in every attempt; what an earlier attempt left under it is removed
    name: str
    format: Format = "directory"
    #: parallel workers of pg_dump; only the directory format has them
    jobs: int = 2
    #: qualified tables, or empty for the whole database
    tables: tuple[str, ...] = ()
    application_name: str = "headgate backup"
    #: stored bytes per byte of the tables, as the last backup had it; None: nothing is known
    ratio: float | None = None


def dump(order: DumpOrder) -> Watched[Artifact]:
    """Dump, yielding progress about twice a second; returns the stored backup.

    Closing the generator ends pg_dump and removes what was written; a kill ends pg_dump, and the next dump removes its files.
    Raises BackupFailedError, DiskFullError, UnknownTableError, ClientTooOldError, BackupKeyError, BackupDamagedError,
    TargetError.
    """
    program = find_client("pg_dump", order.place.bin_dir)
    check_recipients(order.place.recipients)
    storage, _ = storage_of(order.place)
    # what an earlier attempt left; and storage that can't be reached is noticed now, not after hours
    storage.remove(order.name)
    with staging(order.place.directory, order.name) as folder:
        return (yield from _dumped_into(folder / "dump", order, program))


def _dumped_into(staged: Path, order: DumpOrder, program: Path) -> Watched[Artifact]:
    with closing(Follower(staged, is_final=not order.place.recipients)) as follower:
        with frozen(order.dsn, order.tables, name=order.application_name) as source:
            require_not_older(program, source.server_version_num)
            require_room(order.place, source, order.ratio)
            rows = yield from _run(order, program, source, follower, staged)
        entries = list_entries(staged, bin_dir=order.place.bin_dir)
        written = tables_with_rows(entries, [(table.schema, table.name) for table in source.with_rows])

        def describe(files: dict[str, StoredFile]) -> Manifest:
            return Manifest(
                name=order.name,
                format=order.format,
                database=source.database,
                server_version_num=source.server_version_num,
                client_major=client_major(program),
                taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
                files=files,
                rows={name: rows[name] for name in sorted(written)},
                entries=len(entries),
                recipients=order.place.recipients,
                tables=order.tables,
                source_bytes=source.bytes,
            )

        return (yield from keep(order.place, staged, order.name, follower, describe))


def _run(
    order: DumpOrder, program: Path, source: Source, follower: Follower, staged: Path
) -> Generator[Progress, None, dict[str, int | None]]:
    """Run pg_dump while the rows of its snapshot are counted beside it; the counts."""
    with access(order.dsn, application_name=order.application_name) as reach:
        counter = Counter(order.dsn, source, name=order.application_name)
        try:
            with Client(program, _arguments(order, source, staged), reach) as client:
                yield from _follow(client, source, follower)
                if client.returncode != 0:
                    raise _failure(client, order.place)
            while not counter.wait(LOOK_SECONDS):
                yield Progress(phase="counting", bytes_done=follower.look(), bytes_total=source.bytes)
        finally:
            counter.stop()
    return counter.rows


def _follow(client: Client, source: Source, follower: Follower) -> Generator[Progress, None, None]:
    begun, current, total = 0, None, len(source.with_rows)
    is_over = False
    while not is_over:
        is_over = client.wait(LOOK_SECONDS)
        for line in client.lines():
            if found := _BEGUN.search(line):
                begun, current = begun + 1, found[1]
        yield Progress(
            phase="dumping",
            bytes_done=follower.look(),
            bytes_total=source.bytes,
            tables_done=begun,
            tables_total=total,
            current=current,
        )


def _arguments(order: DumpOrder, source: Source, staged: Path) -> list[str]:
    arguments = [
        "--no-password",
        "--verbose",
        f"--format={order.format}",
        f"--file={staged}",
        f"--snapshot={source.snapshot}",
        f"--lock-wait-timeout={LOCK_WAIT_MS}",
        connect_argument(),
    ]
    if order.format == "directory":
        arguments.append(f"--jobs={order.jobs}")
    if order.tables:
        arguments += [f'--table="{_escape(table.schema)}"."{_escape(table.name)}"' for table in source.tables]
    return arguments


def _escape(identifier: str) -> str:
    return identifier.replace('"', '""')


def _failure(client: Client, place: Place) -> BackupFailedError:
    said = client.complaint()
    message = f"pg_dump ended with status {client.returncode}: {said}"
    if "No space left" in said or "Disk quota exceeded" in said:
        return DiskFullError(
            f"The disk of {place.directory} became full; nothing was kept of the backup. {said}",
            hint="Make room, or set HEADGATE_BACKUP_DIR to a larger disk.",
        )
    hint = None
    if "permission denied" in said:
        hint = "The role must be able to read every table: GRANT pg_read_all_data TO the role that Headgate uses."
    elif "lock timeout" in said or "could not obtain lock" in said:
        hint = "Another session holds a table with ACCESS EXCLUSIVE; take the backup again when it has ended."
    return BackupFailedError(message, hint=hint)
