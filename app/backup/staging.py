"""Folders for work under way: gone when the work ends, and removed by whoever comes next where a worker was killed."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SUFFIX = ".partial"
_LOCK = ".lock"


@contextmanager
def staging(directory: Path, name: str) -> Iterator[Path]:
    """A folder of its own in the directory, which only this user can read; what killed workers left there is removed first."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    sweep(directory)
    made = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=directory))
    folder = made.with_name(made.name + SUFFIX)
    try:
        with (made / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # the name by which it is swept comes when it is held: nobody takes it for one that was left
            made.rename(folder)
            yield folder
    finally:
        shutil.rmtree(folder if folder.exists() else made, ignore_errors=True)


def sweep(directory: Path) -> None:
    """Remove the folders that no process holds any more: the kernel lets go of a lock when its process ends, however it ends."""
    for folder in directory.glob("*" + SUFFIX):
        with suppress(FileNotFoundError, NotADirectoryError):
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            except BlockingIOError:
                continue
            finally:
                os.close(lock)
