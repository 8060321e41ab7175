"""Backups in object storage, by the S3 protocol: files are streamed in parts, what fails is taken away again."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from app.backup.manifest import SUFFIX, BackupDamagedError
from app.backup.place import S3Access
from app.backup.progress import StopAskedError, Tally
from app.backup.storage import BLOCK_BYTES, BackupFailedError, remove_tree

#: S3 allows 10,000 parts of at least 5 MiB; four of them are under way at once, which bounds the memory
_MOST_PARTS = 9_000
_SMALLEST_PART_BYTES = 8 << 20
_PARTS_AT_ONCE = 4
_RETRY_SECONDS = 60
_SHORTEST_SECRET = 4
_SCHEME = "s3://"

#: everything that the library raises; a missing object is a FileNotFoundError to it
_ERRORS = (BaseError, OSError)


class StorageUnreachableError(BackupFailedError):
    """The object storage refused, or does not answer."""

    exit_code = 3


class S3Storage:
    """A bucket, or a folder of one."""

    def __init__(self, url: str, access: S3Access) -> None:
        """``url`` is ``s3://bucket/prefix``; Raises StorageUnreachableError where that names no bucket."""
        bucket, _, prefix = url.removeprefix(_SCHEME).strip("/").partition("/")
        if not bucket:
            raise StorageUnreachableError(f"{url} names no bucket.", hint="HEADGATE_BACKUP_URL is s3://bucket/prefix.")
        self._url = f"{_SCHEME}{bucket}" + (f"/{prefix}" if prefix else "")
        self._secret = access.secret_access_key
        options: dict[str, str] = {}
        if access.access_key_id:
            options = {"access_key_id": access.access_key_id, "secret_access_key": access.secret_access_key or ""}
        if access.endpoint:
            options["endpoint"] = access.endpoint
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            region=access.region,
            client_options={"allow_http": (access.endpoint or "").startswith("http://"), "timeout": timedelta(minutes=5)},
            retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)},
            **options,  # type: ignore[arg-type]  # the stub knows each key, not a dictionary of them
        )

    def where(self, name: str) -> str:
        """``s3://bucket/prefix/name``."""
        return f"{self._url}/{name}"

    def put(self, staged: Path, name: str, manifest: str, tally: Tally) -> None:
        """Upload file by file, each taken away from the disk when it is there."""
        try:
            self.remove(name)
            for file in sorted(path for path in staged.rglob("*") if path.is_file()) if staged.is_dir() else [staged]:
                relative = "" if file == staged else str(file.relative_to(staged))
                tally.current = relative or name
                self._upload(file, _key(name, relative), tally)
                file.unlink()
            obstore.put(self._store, name + SUFFIX, manifest.encode())
        except _ERRORS as error:
            self._forget(name)
            raise self._refusal(error) from None
        except StopAskedError:
            self._forget(name)
            raise
        remove_tree(staged)

    def sizes(self, name: str) -> Mapping[str, int]:
        """What the bucket lists."""
        try:
            found = {item["path"]: item["size"] for page in obstore.list(self._store, name) for item in page}
            single = {"": obstore.head(self._store, name)["size"]} if not found and self._exists(name) else {}
        except _ERRORS as error:
            raise self._refusal(error) from None
        return single or {path.removeprefix(f"{name}/"): size for path, size in found.items() if path.startswith(f"{name}/")}

    def read(self, name: str, file: str) -> Iterator[bytes]:
        """As a stream."""
        try:
            for block in obstore.get(self._store, _key(name, file)).stream(min_chunk_size=BLOCK_BYTES):
                yield bytes(block)
        except _ERRORS as error:
            raise self._refusal(error) from None

    def manifest(self, name: str) -> str:
        """The object beside it."""
        try:
            return bytes(obstore.get(self._store, name + SUFFIX).bytes()).decode()
        except FileNotFoundError:
            raise BackupDamagedError(f"The manifest of backup {name} is no longer there.", hint="Take a new backup.") from None
        except _ERRORS as error:
            raise self._refusal(error) from None

    def remove(self, name: str) -> None:
        """Remove every object of it."""
        keys = [_key(name, file) for file in self.sizes(name)]
        if self._exists(name + SUFFIX):
            keys.append(name + SUFFIX)
        try:
            if keys:
                obstore.delete(self._store, keys)
        except _ERRORS as error:
            raise self._refusal(error) from None

    def _exists(self, key: str) -> bool:
        try:
            obstore.head(self._store, key)
        except FileNotFoundError:
            return False
        except BaseError as error:
            raise self._refusal(error) from None
        return True

    def _upload(self, file: Path, key: str, tally: Tally) -> None:
        size = file.stat().st_size
        if size <= _SMALLEST_PART_BYTES:
            obstore.put(self._store, key, file.read_bytes())
            tally.add(size)
            return
        part = max(_SMALLEST_PART_BYTES, -(-size // _MOST_PARTS))
        blocks = _Blocks(file, tally)
        try:
            obstore.put(self._store, key, iter(blocks), use_multipart=True, chunk_size=part, max_concurrency=_PARTS_AT_ONCE)
        except Exception:
            # the library aborts the upload and tells of that, not of what stopped it
            if blocks.error is not None:
                raise blocks.error from None
            raise

    def _forget(self, name: str) -> None:
        with suppress(*_ERRORS, BackupFailedError):
            self.remove(name)

    def _refusal(self, error: Exception) -> StorageUnreachableError:
        """The storage's own first line, without a secret in it, and where to look."""
        said = str(error).split("\n\nDebug source", 1)[0].replace("\n", " ")[:500]
        if self._secret and len(self._secret) >= _SHORTEST_SECRET:
            said = said.replace(self._secret, "...")
        return StorageUnreachableError(
            f"The object storage at {self._url} failed: {said}",
            hint="Check HEADGATE_BACKUP_URL, HEADGATE_S3_ENDPOINT, HEADGATE_S3_REGION and the keys; the bucket has to exist.",
        )


class _Blocks:
    """A file's blocks for the upload; keeps what stopped it."""

    def __init__(self, file: Path, tally: Tally) -> None:
        self._file = file
        self._tally = tally
        self.error: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Block after block; Raises StopAskedError, OSError."""
        try:
            with self._file.open("rb") as stream:
                while block := stream.read(BLOCK_BYTES):
                    self._tally.add(len(block))
                    yield block
        except (StopAskedError, OSError) as error:
            self.error = error
            raise


def _key(name: str, file: str) -> str:
    return f"{name}/{file}" if file else name
