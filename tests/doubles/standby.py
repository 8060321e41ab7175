"""A real hot standby of a test server, streaming from it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from app.embedded.postgres import EmbeddedPostgres
from tests.doubles.databases import FAST
from tests.doubles.folders import short_folder


@contextmanager
def standby_of(primary: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """Made by pg_basebackup; everything of it is gone afterwards."""
    folder = short_folder()
    folder.chmod(0o711)
    copy = EmbeddedPostgres(folder / "copy", password=primary.password, settings=FAST)
    program = primary.installation / "bin" / "pg_basebackup"
    options = ["-R", "-X", "stream", "-c", "fast"]
    try:
        subprocess.run([program, "-d", primary.dsn(), "-D", copy.data, *options], check=True, capture_output=True)
        for path in (copy.data, *copy.data.rglob("*")) if copy.owner else ():
            os.chown(path, *copy.owner)
        copy.start()
        yield copy
    finally:
        copy.stop(immediate=True)
        shutil.rmtree(copy.home, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
