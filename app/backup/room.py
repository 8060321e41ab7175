"""Is there room for a backup, before it is begun: an estimate with its inputs shown, or a refusal with the figures."""

import shutil
from pathlib import Path

from app.backup.place import Place
from app.backup.source import Source
from app.backup.storage import DiskFullError

#: on top of what the last backup of the same database came to
_MARGIN = 1.25


def estimated_bytes(source: Source, ratio: float | None, *, encrypted: bool) -> int:
    """What the disk has to hold at most.

    Without experience: the tables' own size, which a compressed dump hardly ever reaches. Encryption holds its file twice.
    """
    scale = 1.0 if ratio is None else ratio * _MARGIN
    largest = max((table.bytes for table in source.tables), default=0) if encrypted else 0
    return int((source.bytes + largest) * scale)


def require_room(place: Place, source: Source, ratio: float | None) -> None:
    """Go on only where the disk has room.

    Raises DiskFullError with the figures.
    """
    needed = estimated_bytes(source, ratio, encrypted=bool(place.recipients))
    because = "as much as the tables" if ratio is None else f"{ratio:.0%} of the tables, as the last one, and a quarter more"
    refuse_without(place.directory, needed, f"The backup may need {needed:,} bytes ({because}: {source.bytes:,} bytes)")


def refuse_without(directory: Path, needed: int, sentence: str) -> None:
    """Raises DiskFullError where the disk of the directory has not so many bytes free."""
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise DiskFullError(
            f"{sentence}; the disk of {directory} has {free:,} free.",
            hint="Make room, or set HEADGATE_BACKUP_DIR to a larger disk.",
        )
