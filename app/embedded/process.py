"""One child process of the embedded stack: tied to us, logging to a file, stopped politely first and surely in the end."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.errors import HeadgateError
from app.tether import tethered

POLL_SECONDS = 0.02
LOG_TAIL_BYTES = 2000
#: a log that is longer is put aside at the next start, in place of the one put aside before
LONGEST_LOG_BYTES = 20 * 2**20


class EmbeddedError(HeadgateError):
    """A part of the embedded stack could not be started."""

    status = 503


class ChildFailedError(EmbeddedError):
    """A part of the embedded stack ended while it was being started."""

    exit_code = 3


class Child:
    """A process that dies with us (Linux: by the kernel, also when we are killed)."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        owner: tuple[int, int] | None = None,
        polite: signal.Signals = signal.SIGTERM,
        orphaned: signal.Signals | None = None,
    ) -> None:
        """``owner`` is (uid, gid) to run as; ``polite`` asks it to end; ``orphaned`` (default: ``polite``) is sent if we die."""
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self.env = env
        self.cwd = cwd
        self.owner = owner
        self.polite = polite
        self.orphaned = orphaned or polite
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the supervisor."""
        put_aside(self.log)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                tethered(self.command, orphaned=self.orphaned, owner=self.owner),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int | None:
        """Its process id while it was started by us, else None."""
        return self.process.pid if self.process else None

    def is_running(self) -> bool:
        """True while the process has not ended."""
        return self.process is not None and self.process.poll() is None

    def exit_code(self) -> int | None:
        """What it ended with, or None while it runs."""
        return self.process.poll() if self.process else None

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait for ``ready()``; raise ChildFailedError with the end of its log if it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.is_running():
                raise ChildFailedError(
                    f"{self.name} ended while starting (exit {self.exit_code()}). {self.log_tail()}", hint=self._see()
                )
            if time.monotonic() > deadline:
                self.stop(seconds=1)
                raise ChildFailedError(f"{self.name} was not ready within {seconds:g} s. {self.log_tail()}", hint=self._see())
            time.sleep(POLL_SECONDS)

    def log_tail(self) -> str:
        """The last lines of its log, on one line."""
        text = self.log.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", "replace") if self.log.exists() else ""
        return "Its last words: " + " / ".join(line.strip() for line in text.splitlines()[-4:] if line.strip())

    def ask_to_stop(self) -> None:
        """Send the polite signal and return at once."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.polite)

    def stop(self, *, seconds: float = 10) -> None:
        """Ask it to end, and after ``seconds`` kill it with everything it started."""
        if self.process is None:
            return
        self.ask_to_stop()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._kill_group()
        self.process.wait()
        self.process = None

    def _kill_group(self) -> None:
        """End what is left of its process group; the group's number is its pid, because it leads a session of its own."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # nobody is left; macOS says "not permitted" for a group of zombies
            return

    def _see(self) -> str:
        return f"The whole log is in {self.log}."


def put_aside(log: Path) -> None:
    """Rename a log that has grown long, so that a stack that runs for months does not fill the disk with its starts."""
    if log.exists() and log.stat().st_size > LONGEST_LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.before"))
