"""A driver in a process of its own that can be killed anywhere, and runs driven to their end whatever happens to them."""

import os
import pickle
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from app.clock import SystemClock
from app.engine.execute import execute
from app.engine.order import Finished, RunOrder, SliceEnded, SliceResult, TargetAway, WaitingGate, WaitingTime
from app.run.events import Event
from tests.doubles.diary import Diary
from tests.doubles.waiting import until

#: fences that one holder may use up for its slices
FENCES = 1000


def to_the_end(order: RunOrder, diary: Diary | None = None, *, seconds: float = 60.0) -> SliceResult:
    """Slices that follow each other, as workers would drive them.

    A target that is away is knocked at again, a gate is opened, a wait is waited for.
    """
    deadline = time.monotonic() + seconds
    diary = diary or Diary()
    while True:
        assert time.monotonic() < deadline, "the run does not come to an end"
        result = execute(order, diary, clock=SystemClock(), deadline_monotonic=time.monotonic() + 10)
        if isinstance(result, WaitingGate):
            order = replace(order, opened_gates={**order.opened_gates, result.step: "seen"})
        elif isinstance(result, WaitingTime):
            until(lambda result=result: datetime.now(UTC) >= result.until, seconds=seconds)
        elif not isinstance(result, SliceEnded | TargetAway):
            return result
        order = replace(order, fence=order.fence + 1)


def finished(result: SliceResult) -> bool:
    """True for a run that came to its end; otherwise the assertion shows why."""
    assert isinstance(result, Finished), result
    return True


def next_holder(order: RunOrder) -> RunOrder:
    """The same run with a fence above all that the holder before could use."""
    return replace(order, fence=order.fence + FENCES)


@dataclass(frozen=True)
class Point:
    """A safe point of a run: where the same run comes by again after a kill."""

    type: str
    step: str
    #: the statement's or the unit's number; 0 where there is none
    number: int

    @classmethod
    def of(cls, event: Event) -> "Point":
        """Where an event is said."""
        number = getattr(event, "index", None) or getattr(event, "unit", None) or 0
        return cls(event.type(), getattr(event, "step", ""), number)


class Child:
    """A driver in a process of its own; its journal calls ``at`` with itself and each event before it is kept."""

    def __init__(
        self,
        order: RunOrder,
        at: Callable[["Child", Event], None] = lambda _child, _event: None,
        *,
        drive: Callable[[RunOrder, Diary], SliceResult] = to_the_end,
    ) -> None:
        self.events = 0
        self._read, self._write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                diary = Diary()
                diary.on_event = lambda event: self._hear(event, at)
                self.say(type(drive(order, diary)).__name__)
                code = 0
            finally:
                # nothing of pytest's may run in the copy
                os._exit(code)
        os.close(self._write)

    def _hear(self, event: Event, at: Callable[["Child", Event], None]) -> None:
        self.events += 1
        at(self, event)

    def say(self, word: object) -> None:
        """Tell the parent, from inside the child; once."""
        os.write(self._write, pickle.dumps(word))

    def die(self) -> None:
        """From inside the child: gone, as by a machine that loses its power."""
        os.kill(os.getpid(), signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL from outside, at whatever instant this is."""
        os.kill(self.pid, signal.SIGKILL)

    def has_ended(self) -> bool:
        """True once it is gone; its end has not been waited for."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def wait(self) -> int:
        """How it ended: 0, or the negative number of the signal."""
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def told(self) -> object | None:
        """What it said last; None where it was killed before it said anything."""
        with os.fdopen(self._read, "rb") as pipe:
            content = pipe.read()
        return pickle.loads(content) if content else None  # noqa: S301  # our own child wrote it

    def is_stopped(self) -> bool:
        """True while it stands still after SIGSTOP."""
        return Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "T"


def killed_at(order: RunOrder, number: int) -> bool:
    """Drive the run in a process that kills itself before it keeps event ``number``; False where it ended before that."""
    child = Child(order, lambda child, _event: child.die() if child.events == number else None)
    return _was_killed(child.wait(), child.told())


def killed_at_a_new_point(order: RunOrder, known: set[Point]) -> Point | None:
    """Drive the run in a process that kills itself at the first safe point that is not known; None where it came to its end."""

    def at(child: Child, event: Event) -> None:
        point = Point.of(event)
        if point not in known:
            child.say(point)
            child.die()

    child = Child(order, at)
    code, said = child.wait(), child.told()
    return said if isinstance(said, Point) and _was_killed(code, None) else None


def _was_killed(code: int, said: object) -> bool:
    assert code in {-signal.SIGKILL, -signal.SIGALRM} or (code == 0 and said == "Finished"), (code, said)
    return code != 0


def killed_at_message(order: RunOrder, number: int) -> bool:
    """Drive the run in a process that kills itself before its ``number``-th exchange with a server; False where it ended before."""

    def drive(order: RunOrder, diary: Diary) -> SliceResult:
        plain, left = psycopg.Connection.wait, iter(range(number - 1, -1, -1))

        def wait(connection: psycopg.Connection, *args: Any, **kwargs: Any) -> Any:
            if next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return plain(connection, *args, **kwargs)

        # every statement, BEGIN and COMMIT of the driver and of its threads goes through here
        psycopg.Connection.wait = wait
        return to_the_end(order, diary)

    child = Child(order, drive=drive)
    return _was_killed(child.wait(), child.told())


def killed_after(order: RunOrder, seconds: float) -> bool:
    """Drive the run in a process that is killed so long after its start, whatever it does then; False where it ended before."""

    def drive(order: RunOrder, diary: Diary) -> SliceResult:
        # unhandled, SIGALRM ends a process as suddenly as SIGKILL; a parent that has to wait for a processor would kill too late
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
        return to_the_end(order, diary)

    child = Child(order, drive=drive)
    return _was_killed(child.wait(), child.told())
