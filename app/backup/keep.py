"""From a finished dump on the disk to a stored backup: listed by pg_restore, encrypted, hashed, put where it belongs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.backup.encryption import SUFFIX, encrypt_file
from app.backup.hashing import Follower
from app.backup.manifest import Manifest, StoredFile
from app.backup.place import Place
from app.backup.progress import Tally, Watched, watched
from app.backup.storage import disk_error, storage_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One backup that is stored, complete."""

    #: a path, or ``s3://bucket/prefix/name``
    location: str
    manifest: Manifest

    def summary(self) -> dict[str, Any]:
        """What is kept with the step of a run; the manifest beside the backup has the files."""
        return {
            "path": self.location,
            "format": self.manifest.format,
            "size_bytes": self.manifest.bytes,
            "sha256": self.manifest.sha256,
            "entries": self.manifest.entries,
            "tables": len(self.manifest.rows),
        }


def keep(
    place: Place, staged: Path, name: str, follower: Follower, describe: Callable[[dict[str, StoredFile]], Manifest]
) -> Watched[Artifact]:
    """Encrypt where the place says so, hash, and store; yields how far it is.

    Raises BackupKeyError, DiskFullError, BackupFailedError.
    """
    if place.recipients:
        yield from watched("encrypting", lambda tally: _encrypt(place, staged, tally), bytes_total=_size(staged))
    files = yield from watched("hashing", lambda tally: _hash(staged, follower, tally), bytes_total=_size(staged))
    manifest = describe(files)
    storage, _ = storage_of(place)
    text = manifest.text()
    yield from watched("storing", lambda tally: storage.put(staged, name, text, tally), bytes_total=manifest.bytes)
    return Artifact(location=storage.where(name), manifest=manifest)


def _encrypt(place: Place, staged: Path, tally: Tally) -> None:
    """File by file, so that the disk needs room for one file twice, never for all."""
    for file in _files(staged):
        sealed = file.with_name(file.name + SUFFIX)
        tally.current = file.name
        try:
            encrypt_file(file, sealed, place.recipients, tally)
            if file == staged:
                sealed.replace(file)
            else:
                file.unlink()
        except OSError as error:
            raise disk_error(error, staged.parent) from error
        finally:
            if file == staged:
                sealed.unlink(missing_ok=True)


def _hash(staged: Path, follower: Follower, tally: Tally) -> dict[str, StoredFile]:
    found = {}
    for file in _files(staged):
        name = "" if file == staged else str(file.relative_to(staged))
        tally.current = name
        found[name] = StoredFile(sha256=follower.finish(file, tally), bytes=file.stat().st_size)
    return found


def _files(staged: Path) -> list[Path]:
    return sorted(file for file in staged.rglob("*") if file.is_file()) if staged.is_dir() else [staged]


def _size(staged: Path) -> int:
    return sum(file.stat().st_size for file in _files(staged))
