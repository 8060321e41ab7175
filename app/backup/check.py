"""Is a stored backup still what was written: every file against the manifest, the table of contents by pg_restore."""

from dataclasses import dataclass
from typing import Any

from app.backup.compare import compare, manifest_of
from app.backup.encryption import BackupKeyError
from app.backup.fetch import fetched
from app.backup.listing import TOC, list_entries
from app.backup.manifest import BackupDamagedError, Manifest
from app.backup.place import Place
from app.backup.progress import Watched, watched
from app.backup.storage import storage_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A backup that is what was written."""

    manifest: Manifest
    #: lines that pg_restore listed, or None where it could not be asked
    entries: int | None
    #: why pg_restore could not be asked
    not_listed: str = ""

    def as_json(self) -> dict[str, Any]:
        """What is kept and shown."""
        return {
            "files": len(self.manifest.files),
            "bytes": self.manifest.bytes,
            "entries": self.entries,
            "not_listed": self.not_listed,
        }


def check(place: Place, location: str, sha256: str) -> Watched[Checked]:
    """Read every byte and compare; ``sha256`` is the manifest's own.

    Raises BackupDamagedError that names the files, StorageUnreachableError.
    """
    storage, name = storage_of(place, location)
    manifest = manifest_of(storage, name, sha256)
    yield from watched("checking", lambda tally: compare(storage, name, manifest, tally), bytes_total=manifest.bytes)
    try:
        # the list of a directory is made of one small file; a single file has to be read whole
        with fetched(place, location, manifest, only=TOC if manifest.format == "directory" else "") as fetch:
            path = yield from fetch
            entries = list_entries(path, bin_dir=place.bin_dir)
    except BackupKeyError as error:
        return Checked(manifest=manifest, entries=None, not_listed=error.message)
    if len(entries) != manifest.entries:
        raise BackupDamagedError(f"pg_restore lists {len(entries)} entries, {manifest.entries} were written.")
    return Checked(manifest=manifest, entries=len(entries))
