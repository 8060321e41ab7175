"""A journal in memory: keeps what a run says, asks what a test wants asked, and fails on command."""

import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from app.run.events import Event, Gauge
from app.run.journal import Ask

E = TypeVar("E", bound=Event)


class Diary:
    """Safe to use from the driver's thread and its heartbeat's."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.gauges: list[Gauge] = []
        self.beats = 0
        self.ask: Ask | None = None
        self._lock = threading.Lock()
        #: called with each event before it is kept; may raise, or set ``ask``
        self.on_event: Callable[[Event], None] = lambda event: None
        #: called at each heartbeat; may raise, or set ``ask``
        self.on_beat: Callable[[], None] = lambda: None

    def record(self, *events: Event) -> None:
        for event in events:
            self.on_event(event)
            with self._lock:
                self.events.append(event)

    def gauge(self, gauge: Gauge) -> None:
        with self._lock:
            self.gauges.append(gauge)

    def heartbeat(self) -> Ask | None:
        self.on_beat()
        self.beats += 1
        return self.ask

    def asked(self) -> Ask | None:
        return self.ask

    def of(self, kind: type[E]) -> list[E]:
        """The events of one type, in order."""
        with self._lock:
            return [event for event in self.events if isinstance(event, kind)]

    def types(self) -> list[str]:
        """What was said, by name."""
        with self._lock:
            return [event.type() for event in self.events]

    def __iter__(self) -> Iterator[Event]:
        return iter(list(self.events))
