"""A stored backup against its manifest, byte for byte; what differs is named."""

import hashlib
from collections.abc import Iterator, Sequence

from app.backup.manifest import BackupDamagedError, Manifest, read_manifest
from app.backup.progress import Tally
from app.backup.storage import Storage

_MOST_NAMED = 5


def manifest_of(storage: Storage, name: str, sha256: str) -> Manifest:
    """The manifest beside a backup; Raises BackupDamagedError where it is not the one that was written."""
    return read_manifest(storage.manifest(name), expected_sha256=sha256)


def compare(storage: Storage, name: str, manifest: Manifest, tally: Tally) -> None:
    """Read every file; Raises BackupDamagedError that names those that are gone, changed, or too many."""
    wrong = wrong_names(storage, name, manifest)
    for file in sorted(manifest.files):
        tally.current = file or name
        digest = hashlib.sha256()
        if any(line.startswith(f"{file or name} ") for line in wrong):
            continue
        for block in storage.read(name, file):
            digest.update(block)
            tally.add(len(block))
        if digest.hexdigest() != manifest.files[file].sha256:
            wrong.append(f"{file or name} is not what was written")
    refuse(wrong)


def compared(storage: Storage, name: str, file: str, manifest: Manifest) -> Iterator[bytes]:
    """The bytes of a stored file, compared while they pass; Raises BackupDamagedError at their end."""
    digest = hashlib.sha256()
    for block in storage.read(name, file):
        digest.update(block)
        yield block
    if digest.hexdigest() != manifest.files[file].sha256:
        refuse([f"{file or name} is not what was written"])


def wrong_names(storage: Storage, name: str, manifest: Manifest) -> list[str]:
    """Files that are gone, too many, or of another size; Raises BackupDamagedError where all are gone."""
    sizes = storage.sizes(name)
    if not sizes:
        raise BackupDamagedError(f"The backup {name} is no longer there.", hint="Take a new backup.")
    wrong = sorted(f"{file or name} is gone" for file in manifest.files.keys() - sizes.keys())
    wrong += sorted(f"{file or name} was not there when it was written" for file in sizes.keys() - manifest.files.keys())
    both = sorted(manifest.files.keys() & sizes.keys())
    return wrong + [f"{file or name} is not what was written" for file in both if sizes[file] != manifest.files[file].bytes]


def refuse(wrong: Sequence[str]) -> None:
    """Raises BackupDamagedError where anything is wrong."""
    if wrong:
        more = f"; and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
        raise BackupDamagedError(f"{'; '.join(wrong[:_MOST_NAMED])}{more}.", hint="Take a new backup: this one proves nothing.")
