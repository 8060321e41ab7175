"""Where tests keep their servers: in memory where the machine lends enough, since making a database is making hundreds of files."""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108  (a folder with a name of its own is made in it, for this user alone)
#: what the servers of one test process come to, with room to spare
ENOUGH_BYTES = 6 * 1024**3


def short_folder(prefix: str = "hg-") -> Path:
    """A new empty folder with a short path (a socket's may have 107 bytes); whoever asks removes it."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if _lends_enough() else None))


def _lends_enough() -> bool:
    return MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
