"""A run's journal on standard output: one JSON object a line; Ctrl-C asks the run to stop at its next safe point."""

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TextIO

from app.contract import event_line
from app.run.events import Event, Gauge
from app.run.journal import Ask


class JsonLines:
    """Prints events; safe to use from the driver's thread and its heartbeat's."""

    def __init__(self, out: TextIO | None = None) -> None:
        """``out``: standard output where none is given."""
        self._out = out or sys.stdout
        self._lock = threading.Lock()
        self._number = 0
        self.ask: Ask | None = None

    def record(self, *events: Event) -> None:
        """Print events in order, numbered from 1, each whole and at once."""
        with self._lock:
            for event in events:
                self._number += 1
                line = event_line(self._number, datetime.now(UTC), event)
                print(json.dumps(line), file=self._out, flush=True)

    def gauge(self, gauge: Gauge) -> None:
        """One line for a person, on standard error."""
        parts = [gauge.step, gauge.phase]
        if gauge.fraction is not None:
            parts.append(f"{gauge.fraction:.0%}")
        parts += [f"blocked by {sentence}" for sentence in gauge.blocked_by[:1]]
        print("  ".join(part for part in parts if part), file=sys.stderr, flush=True)

    def heartbeat(self) -> Ask | None:
        """Nobody else can hold this run's terminal; what was asked came by signal."""
        return self.ask

    def asked(self) -> Ask | None:
        """Pause, once Ctrl-C or SIGTERM was heard."""
        return self.ask


@contextmanager
def stopping_at_signals(journal: JsonLines) -> Iterator[None]:
    """SIGINT and SIGTERM ask for a pause: the unit in flight is rolled back or finished, never cut."""
    before: dict[signal.Signals, Callable[..., Any] | int | None] = {}

    def ask(*_: object) -> None:
        journal.ask = "pause"

    for name in (signal.SIGINT, signal.SIGTERM):
        before[name] = signal.signal(name, ask)
    try:
        yield
    finally:
        for name, was in before.items():
            signal.signal(name, was)
