"""How far a backup or a restore is, and how long work in Python goes on beside the one who watches it."""

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")
#: How often is told how far it is, and the longest that a wish to stop is not heard.
LOOK_SECONDS = 0.5

Phase = Literal[
    "dumping", "encrypting", "hashing", "storing", "fetching", "checking", "restoring", "analysing", "counting", "cleaning"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One look at it; what is not known is None."""

    phase: Phase
    bytes_done: int = 0
    bytes_total: int | None = None
    tables_done: int | None = None
    tables_total: int | None = None
    #: the table that was begun last, or the file that is at hand
    current: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What is kept and shown."""
        return {
            "phase": self.phase,
            "bytes_done": self.bytes_done,
            "bytes_total": self.bytes_total,
            "tables_done": self.tables_done,
            "tables_total": self.tables_total,
            "current": self.current,
        }


Watched = Generator[Progress, None, T]


class _Box(Generic[T]):
    """What a thread leaves behind: a result or an error."""

    def __init__(self) -> None:
        self.is_done = threading.Event()
        self._result: list[T] = []
        self._error: BaseException | None = None

    def fill(self, work: Callable[["Tally"], T], tally: "Tally") -> None:
        """Run in the thread."""
        try:
            self._result.append(work(tally))
        except BaseException as error:  # noqa: BLE001  # it is raised again where it is waited for
            self._error = error
        self.is_done.set()

    def take(self) -> T:
        """The result; Raises the error."""
        if self._error is not None:
            raise self._error
        return self._result[0]


class StopAskedError(Exception):
    """Raised inside the work when it should stop; never leaves this module."""


class Tally:
    """Bytes that the work is done with; the work says them, and hears there that it should stop."""

    def __init__(self) -> None:
        """Nothing is done yet."""
        self.bytes_done = 0
        self.current: str | None = None
        #: called when the work should stop: what it waits for in a database is cancelled there
        self.on_stop: Callable[[], None] = lambda: None
        self._stop = threading.Event()

    def add(self, size: int) -> None:
        """Say that so many more bytes are done; Raises StopAskedError."""
        self.bytes_done += size
        if self._stop.is_set():
            raise StopAskedError

    def ask_to_stop(self) -> None:
        """Let the work stop at its next block."""
        self._stop.set()
        self.on_stop()


def watched(phase: Phase, work: Callable[[Tally], T], *, bytes_total: int | None = None) -> Watched[T]:
    """Do the work in a thread and yield how far it is; closing the generator stops the work and waits for that.

    Raises what the work raises.
    """
    tally, box = Tally(), _Box[T]()
    thread = threading.Thread(target=box.fill, args=(work, tally), name=f"backup {phase}", daemon=True)
    thread.start()
    try:
        is_done = False
        while not is_done:
            yield Progress(phase=phase, bytes_done=tally.bytes_done, bytes_total=bytes_total, current=tally.current)
            is_done = box.is_done.wait(LOOK_SECONDS)
    except BaseException:
        tally.ask_to_stop()
        raise
    finally:
        thread.join()
    return box.take()
