"""A stored backup as pg_restore needs it: plain files on this machine, gone again afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.backup.compare import compare, compared, refuse, wrong_names
from app.backup.encryption import SUFFIX, decrypt_file, open_identities
from app.backup.manifest import Manifest
from app.backup.place import Place
from app.backup.progress import Tally, Watched, watched
from app.backup.room import refuse_without
from app.backup.staging import staging
from app.backup.storage import LocalStorage, Storage, disk_error, storage_of


@contextmanager
def fetched(place: Place, location: str, manifest: Manifest, *, only: str | None = None) -> Iterator[Watched[Path]]:
    """Work to be driven inside the block: it yields progress and returns a path that lives as long as the block.

    What is handed out was compared with the manifest. ``only``: no more than this file, "" for the single file of a custom dump;
    that one is not compared. Raises BackupDamagedError, BackupKeyError, DiskFullError, StorageUnreachableError.
    """
    storage, name = storage_of(place, location)
    if isinstance(storage, LocalStorage) and not manifest.recipients:
        yield _at_hand(storage, name, manifest, is_compared=only is None)
        return
    if manifest.recipients:
        open_identities(place, manifest.recipients)
    with staging(place.directory, "fetched") as folder:
        files = folder / "backup"
        files.mkdir()
        yield _Fetch(place, storage, name, manifest, files).run(only)


def _at_hand(storage: LocalStorage, name: str, manifest: Manifest, *, is_compared: bool) -> Watched[Path]:
    if is_compared:
        yield from watched("checking", lambda tally: compare(storage, name, manifest, tally), bytes_total=manifest.bytes)
    return storage.path(name)


@dataclass(frozen=True, slots=True)
class _Fetch:
    """One backup on its way into a folder of this machine."""

    place: Place
    storage: Storage
    name: str
    manifest: Manifest
    folder: Path

    def run(self, only: str | None) -> Watched[Path]:
        files, is_sealed = self.manifest.files, bool(self.manifest.recipients)
        wanted = [file for file in sorted(files) if only is None or file in {only, only + SUFFIX}]
        size = sum(files[file].bytes for file in wanted)
        needed = size + (max((files[file].bytes for file in wanted), default=0) if is_sealed else 0)
        refuse_without(self.place.directory, needed, f"To read the backup takes {needed:,} bytes")

        def work(tally: Tally) -> Path:
            if only is None:
                refuse(wrong_names(self.storage, self.name, self.manifest))
            for file in wanted:
                tally.current = file or self.name
                self._file(file, tally)
            return self.folder / "dump" if "" in files else self.folder

        return (yield from watched("fetching", work, bytes_total=size))

    def _file(self, file: str, tally: Tally) -> None:
        is_sealed = bool(self.manifest.recipients)
        path = self.folder / (file or "dump")
        stored = path.with_name(path.name + ".sealed") if is_sealed else path
        try:
            with stored.open("wb") as sink:
                for block in compared(self.storage, self.name, file, self.manifest):
                    sink.write(block)
                    tally.add(0 if is_sealed else len(block))
            if is_sealed:
                plain = path.with_name(path.name.removesuffix(SUFFIX))
                decrypt_file(stored, plain, self.place, recipients=self.manifest.recipients, tally=tally)
                stored.unlink()
        except OSError as error:
            raise disk_error(error, self.place.directory) from error
