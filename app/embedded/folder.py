"""The data folder of the embedded stack: who holds it, the sealing key, the ports that must stay the same, the logs."""

import fcntl
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import quote

from app.embedded.ports import LOOPBACK, free_port
from app.embedded.process import EmbeddedError
from app.target.secrets import new_key


class FolderHeldError(EmbeddedError):
    """Another Headgate runs on this data folder."""

    status = 409


class FolderUnusableError(EmbeddedError):
    """The data folder can't be made or written to."""


class DataFolder:
    """One folder; `hold` it before anything in it is touched."""

    def __init__(self, path: Path) -> None:
        """``path`` is made if need be, readable by us alone; raises FolderUnusableError where it can't be."""
        self.path = path.absolute()
        self.logs = self.path / "logs"
        try:
            self.path.mkdir(mode=0o711, parents=True, exist_ok=True)  # PostgreSQL may run as another user: it has to pass through
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise FolderUnusableError(
                f"The data directory {self.path} can't be used: {error.strerror}.",
                hint="Give a directory that this user may write to, with --data-dir.",
            ) from None
        self._lock: IO[str] | None = None

    def hold(self, *, address: str) -> None:
        """Take the folder for this process's life; raises FolderHeldError with who has it."""
        lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise FolderHeldError(
                f"The data directory {self.path} is in use by {_holder(lock.read())}.",
                hint="End that one first, or give this one its own with --data-dir.",
            ) from None
        lock.truncate(0)
        lock.write(json.dumps({"pid": os.getpid(), "address": address}))
        lock.flush()
        self._lock = lock

    def release(self) -> None:
        """Let go, for tests and for a clean end; the kernel does it for a killed process."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def secret_key_file(self) -> Path:
        """The file with the key that seals connection strings, made once with mode 0600."""
        file = self.path / "secret.keys"
        if not file.exists():
            write_private(file, new_key("k1") + "\n")
        return file

    def port(self, name: str) -> int:
        """The port of ``name``, chosen once: saved targets hold it in their connection strings."""
        return int(self._remember(f"port-{name}", lambda: str(free_port())))

    def password(self, name: str) -> str:
        """The password of the role ``name``, made once with mode 0600."""
        return self._remember(f"password-{name}", lambda: secrets.token_urlsafe(18))

    def _remember(self, name: str, make: Callable[[], str]) -> str:
        folder = self.path / "kept"
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / name
        if not file.exists():
            write_private(file, make())
        return file.read_text()


def kept_address(path: Path, *, database: str) -> str | None:
    """The address of the embedded server's ``database``, as its own role; None where the folder keeps none."""
    port, password = path / "kept" / "port-postgres", path / "kept" / f"password-{database}"
    try:
        return f"postgresql://{database}:{quote(password.read_text(), safe='')}@{LOOPBACK}:{int(port.read_text())}/{database}"
    except (OSError, ValueError):
        return None


def write_private(file: Path, text: str) -> None:
    """Write ``file`` atomically, never readable by others, not even for a moment."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
    draft.replace(file)


def _holder(text: str) -> str:
    try:
        note = json.loads(text)
    except ValueError:
        return "another process"
    return f"process {note['pid']} ({note['address']})"
