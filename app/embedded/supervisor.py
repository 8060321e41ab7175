"""Keeps the parts of the embedded stack alive: restarts what ended, with growing rests, and stops all in the reverse order."""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

FIRST_REST_SECONDS = 0.5
LONGEST_REST_SECONDS = 30.0
#: a part that ran so long is taken as healthy: its next end is a first one again
HEALTHY_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.25


class Part(Protocol):
    """Something that runs: a process of ours or an embedded server."""

    name: str

    def start(self) -> None:
        """Start it."""
        ...

    def is_running(self) -> bool:
        """True while it runs."""
        ...

    def ask_to_stop(self) -> None:
        """Ask it to end, without waiting."""
        ...

    def stop(self) -> None:
        """End it surely."""
        ...


@dataclass(slots=True, kw_only=True)
class Kept:
    """A part with the history of its restarts."""

    part: Part
    started_at: float
    failures: int = 0
    due_at: float | None = None


def rest_before_restart(failures: int) -> float:
    """Seconds to rest before the restart after so many failures in a row: doubling, up to half a minute."""
    return float(min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2 ** min(failures, 10)))


class Supervisor:
    """The parts that run, and the one loop that looks after them."""

    def __init__(self, *, say: Callable[[str], None]) -> None:
        """``say`` gets one sentence for each thing a person should know."""
        self.say = say
        self.parts: list[Kept] = []
        self._asked_to_end = threading.Event()
        self._is_watching = False

    def start(self, part: Part) -> None:
        """Start ``part`` and look after it from now on; it is stopped too when its start fails half-way."""
        self.parts.append(Kept(part=part, started_at=time.monotonic()))
        part.start()

    def end(self, part: Part) -> None:
        """End one part and look after it no longer."""
        self.parts = [kept for kept in self.parts if kept.part is not part]
        part.stop()

    def end_on_signals(self) -> None:
        """Let SIGINT, SIGTERM and SIGHUP end `watch`; before it they raise KeyboardInterrupt, so a start can be broken off."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)

    def watch(self) -> None:
        """Restart what ends, until a signal asks us to end."""
        self._is_watching = True
        while not self._asked_to_end.wait(LOOK_EVERY_SECONDS):
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Look at each part once; ``now`` is monotonic."""
        for kept in self.parts:
            self._look_after(kept, now)

    def stop(self) -> None:
        """End all parts: all but the servers are asked at once, then each is waited for, the last started first."""
        self._is_watching = True  # a second Ctrl-C must not break the stop off half-way
        running = [kept.part for kept in reversed(self.parts)]
        for part in running:
            part.ask_to_stop()
        for part in running:
            part.stop()
        self.parts.clear()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_end.set()
        if not self._is_watching:
            raise KeyboardInterrupt

    def _look_after(self, kept: Kept, now: float) -> None:
        if kept.due_at is not None:
            if now >= kept.due_at:
                self._start_again(kept, now)
            return
        if kept.part.is_running():
            return
        if now - kept.started_at > HEALTHY_SECONDS:
            kept.failures = 0
        rest = rest_before_restart(kept.failures)
        kept.failures += 1
        kept.due_at = now + rest
        self.say(f"{kept.part.name} ended; it is started again in {rest:g} s.")

    def _start_again(self, kept: Kept, now: float) -> None:
        kept.due_at = None
        kept.started_at = now
        try:
            kept.part.start()
        except Exception as failure:  # noqa: BLE001  # whatever kept it from starting: say so, rest longer, try again
            self.say(f"{kept.part.name} could not be started again: {failure}")
