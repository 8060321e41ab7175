"""Waiting for a condition with a deadline, in place of a sleep of a guessed length."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_pause = threading.Event()


def until(condition: Callable[[], T], *, seconds: float = 10.0, every: float = 0.02) -> T:
    """What the condition returns once it is true; an AssertionError after the deadline."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"nothing happened within {seconds} s"
        _pause.wait(every)
    return found


def passing(seconds: float) -> None:
    """Let time pass where time itself is what is tested: a lease that runs out, a network that stays cut."""
    _pause.wait(seconds)
