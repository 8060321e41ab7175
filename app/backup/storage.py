"""Where stored backups are: a directory, or a bucket that speaks the S3 protocol. Both answer the same six questions."""

import errno
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from app.backup.manifest import SUFFIX, BackupDamagedError
from app.backup.place import Place
from app.backup.progress import Tally
from app.errors import HeadgateError

BLOCK_BYTES = 1 << 20
_S3 = "s3://"


class BackupFailedError(HeadgateError):
    """The backup could not be taken; nothing was kept of the attempt."""

    status = 502
    exit_code = 1


class DiskFullError(BackupFailedError):
    """The disk that backups go to has not enough room."""


class Storage(Protocol):
    """One place of backups; a backup is a name, its manifest stands beside it."""

    def where(self, name: str) -> str:
        """What is kept as the backup's address."""
        ...

    def put(self, staged: Path, name: str, manifest: str, tally: Tally) -> None:
        """Store a staged file or folder under the name, the manifest last; what fails leaves nothing. Takes ``staged`` away."""
        ...

    def sizes(self, name: str) -> Mapping[str, int]:
        """Relative name -> bytes of every stored file; ``""`` where the backup is one file; empty where it is gone."""
        ...

    def read(self, name: str, file: str) -> Iterator[bytes]:
        """The bytes of one stored file."""
        ...

    def manifest(self, name: str) -> str:
        """The document beside the backup; Raises BackupDamagedError where it is gone."""
        ...

    def remove(self, name: str) -> None:
        """Remove the backup and its manifest; nothing happens where they are gone."""
        ...


def storage_of(place: Place, location: str | None = None) -> tuple[Storage, str]:
    """The storage that new backups go to, or the one that a location is in, with the name there ("" for new ones)."""
    if (location or place.url or "").startswith(_S3):
        from app.backup.s3 import S3Storage  # a quarter of a second to load, for those who use it

        base, _, name = location.rpartition("/") if location else (place.url or "", "", "")
        return S3Storage(base, place.s3), name
    if location is None:
        return LocalStorage(place.directory), ""
    return LocalStorage(Path(location).parent), Path(location).name


class LocalStorage:
    """A directory that only Headgate's user can read."""

    def __init__(self, directory: Path) -> None:
        """``directory`` is made where it is missing."""
        self._directory = directory

    def where(self, name: str) -> str:
        """The absolute path."""
        return str(self.path(name).absolute())

    def path(self, name: str) -> Path:
        """Where the backup is: pg_restore reads it there."""
        return self._directory / name

    def put(self, staged: Path, name: str, manifest: str, tally: Tally) -> None:
        """Rename: staging is on the same disk."""
        tally.add(0)
        try:
            remove_tree(self.path(name))
            staged.rename(self.path(name))
            self.path(name + SUFFIX).write_text(manifest)
        except OSError as error:
            self.remove(name)
            raise disk_error(error, self._directory) from error

    def sizes(self, name: str) -> Mapping[str, int]:
        """What is there."""
        path = self.path(name)
        if path.is_dir():
            return {str(file.relative_to(path)): file.stat().st_size for file in path.rglob("*") if file.is_file()}
        return {"": path.stat().st_size} if path.is_file() else {}

    def read(self, name: str, file: str) -> Iterator[bytes]:
        """In blocks of a mebibyte."""
        with (self.path(name) / file if file else self.path(name)).open("rb") as stream:
            while block := stream.read(BLOCK_BYTES):
                yield block

    def manifest(self, name: str) -> str:
        """The file beside it."""
        try:
            return self.path(name + SUFFIX).read_text()
        except FileNotFoundError:
            raise BackupDamagedError(f"The manifest of backup {name} is no longer there.", hint="Take a new backup.") from None

    def remove(self, name: str) -> None:
        """Remove both."""
        remove_tree(self.path(name))
        remove_tree(self.path(name + SUFFIX))


def remove_tree(path: Path) -> None:
    """Remove a file or a folder that may not be there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def disk_error(error: OSError, directory: Path) -> HeadgateError:
    """What is said of an error of the disk."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        free = shutil.disk_usage(directory).free if directory.exists() else 0
        return DiskFullError(
            f"The disk of {directory} is full ({free:,} bytes are free now); nothing was kept of the backup.",
            hint="Make room, or set HEADGATE_BACKUP_DIR to a larger disk.",
        )
    return BackupFailedError(f"Writing to {directory} failed: {error.strerror or type(error).__name__}.")
