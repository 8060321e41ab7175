"""One pg_dump or pg_restore at work: its messages as they come, ended with everything it started within two seconds."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from app.backup.clients import Access
from app.tether import tethered

#: pg_dump cancels its queries on the server and ends its workers when it is asked to end; then it is not asked any more.
_POLITE_SECONDS = 1.0
_LONGEST_MESSAGE = 2000


class Client:
    """A client program as a context manager: whatever way the block is left, the program is gone.

    It dies with the thread that started it (Linux: by the kernel), so a killed worker leaves no dump behind.
    """

    def __init__(self, program: Path, arguments: Sequence[str], access: Access, *, reads: IO[bytes] | None = None) -> None:
        """Start it; what it says goes to a file that no other process sees. ``reads`` is its standard input, from the start."""
        if reads:
            reads.seek(0)
        self.name = program.name
        self._log = tempfile.TemporaryFile("w+b")  # noqa: SIM115  # closed by __exit__, with the process
        self._read = 0
        self._rest = b""
        self._said: list[str] = []
        self._process = subprocess.Popen(
            tethered([str(program), *arguments], orphaned=signal.SIGTERM),
            env=dict(access.environment),
            pass_fds=access.descriptors,
            stdin=reads or subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        """The running program."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End it where it still runs."""
        self.end()
        self._log.close()

    @property
    def returncode(self) -> int:
        """What it ended with."""
        code = self._process.returncode
        return -1 if code is None else code

    def wait(self, seconds: float) -> bool:
        """True where it ended within so many seconds."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll() is not None

    def lines(self) -> list[str]:
        """The whole lines that it said since the last call."""
        read = self._rest + os.pread(self._log.fileno(), os.fstat(self._log.fileno()).st_size - self._read, self._read)
        self._read += len(read) - len(self._rest)
        *whole, self._rest = read.split(b"\n")
        found = [line.decode(errors="replace") for line in whole]
        self._said += [line for line in found if "error" in line.lower() or "fatal" in line.lower() or "detail" in line.lower()]
        return found

    def complaint(self) -> str:
        """What it says about its failure: the lines with an error in them, or else the last ones."""
        last = self.lines()
        return "\n".join(self._said or last[-3:] or ["no message"])[:_LONGEST_MESSAGE]

    def end(self) -> None:
        """Ask it to end, then make it end, with its children."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        self.wait(_POLITE_SECONDS)
        with suppress(ProcessLookupError, PermissionError):
            # its own group: workers that outlived it are ended too
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def run_client(
    program: Path, arguments: Sequence[str], access: Access, *, reads: IO[bytes] | None = None, writes: IO[bytes] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a client to its end, which may take a while and is not told of; files are its standard input and output."""
    if reads:
        reads.seek(0)
    return subprocess.run(
        tethered([str(program), *arguments], orphaned=signal.SIGTERM),
        env=dict(access.environment),
        pass_fds=access.descriptors,
        stdin=reads or subprocess.DEVNULL,
        stdout=writes or subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
