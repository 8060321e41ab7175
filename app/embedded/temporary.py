"""A PostgreSQL for the length of one command, in a folder that is gone afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.embedded.postgres import EmbeddedPostgres

#: nothing on it outlives the command, so nothing waits for a disk
_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


@contextmanager
def temporary_server() -> Iterator[EmbeddedPostgres]:
    """A running server of the embedded version; Raises NotAvailableError where no wheel exists for this platform."""
    folder = Path(tempfile.mkdtemp(prefix="headgate-"))
    folder.chmod(0o711)  # the server may run as another user, who has to pass through
    server = EmbeddedPostgres(folder / "pg", settings=_SETTINGS)
    try:
        server.start()
        yield server
    finally:
        server.stop(immediate=True)
        shutil.rmtree(server.home, ignore_errors=True)  # lies elsewhere where the server can't pass through the folder
        shutil.rmtree(folder, ignore_errors=True)
