"""A real server of the S3 protocol for tests: rclone's, out of a wheel, over HTTP, asking for signed requests."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.backup.place import S3Access
from app.embedded.ports import free_port
from tests.doubles.waiting import until

KEY, SECRET = "headgate-tests", "swordfish-of-the-bucket"
BUCKET = "backups"


@dataclass(frozen=True, kw_only=True)
class ObjectStorage:
    """One running server; its bucket is a folder on this machine."""

    endpoint: str
    folder: Path

    @property
    def access(self) -> S3Access:
        """The right keys."""
        return S3Access(endpoint=self.endpoint, access_key_id=KEY, secret_access_key=SECRET)

    def names(self) -> list[str]:
        """Every file of the bucket, parts of unfinished uploads too."""
        bucket = self.folder / BUCKET
        return sorted(str(path.relative_to(bucket)) for path in bucket.rglob("*") if path.is_file())


@contextmanager
def object_storage() -> Iterator[ObjectStorage]:
    """A started server with an empty bucket."""
    folder = Path(tempfile.mkdtemp(prefix="hg-s3-"))
    (folder / BUCKET).mkdir()
    address = f"127.0.0.1:{free_port()}"
    program = Path(sys.executable).with_name("rclone")
    # the keys come by the environment: not in the process list
    environment = {"PATH": os.environ["PATH"], "RCLONE_CONFIG": os.devnull, "RCLONE_AUTH_KEY": f'"{KEY},{SECRET}"'}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "serve", "s3", "--addr", address, folder], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until(lambda: b"Starting s3 server" in (folder / "log").read_bytes(), seconds=20, every=0.05)
        yield ObjectStorage(endpoint=f"http://{address}", folder=folder)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
