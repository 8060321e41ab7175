"""A second session that watches the server while batches run: signals, the canary, and what people ask of the speed.

The canary is a one-row commit ten times a second in Headgate's own schema: it feels WAL, CPU and I/O pressure as the application
does, without touching its tables. Judged by is the third quartile of a second: of ten commits the p90 is the slowest, which any
hiccup of the machine decides, while a quarter of them is slow only where something presses.
"""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic, perf_counter
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from app.backfill import signals
from app.backfill.counters import Counters
from app.backfill.signals import Reading
from app.target.errors import TargetError
from app.target.session import Target

CANARY = "UPDATE {schema}.backfill SET canary = canary + 1 WHERE job = %(job)s RETURNING speed"
_TICK_SECONDS = 0.1
#: the calm value: its commits lie apart, so that one stall of the machine does not hit them all; 0.15 s in sum
_BASELINE_COMMITS = 24
_BASELINE_REST_SECONDS = 0.005
_WINDOW_COMMITS = 10
#: a commit that is slower by less than this is noise of the machine, not pressure
_NOISE_MS = 4.0


def third_quartile(values: Sequence[float]) -> float:
    """The value that a quarter of the measurements reach or pass; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.75))] if ordered else 0.0


class Sentinel:
    """Runs in a thread of its own until it is stopped; what it saw last is read without a lock."""

    def __init__(
        self, *, dsn: str, schema: str, job: UUID, oids: Sequence[int], purpose: str, limits: Mapping[str, float] | None = None
    ) -> None:
        self._dsn, self._job, self._oids, self._purpose = dsn, job, list(oids), purpose
        self._limits = limits or {}
        self._statement = sql.SQL(CANARY).format(schema=sql.Identifier(schema))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="backfill sentinel", daemon=True)
        self._counters = Counters(oids)
        self._canary: deque[float] = deque(maxlen=_WINDOW_COMMITS)
        self._baseline_ms = 0.0
        self._usual_active = 0.0
        self._often: list[Reading] = []
        self._seldom: list[Reading] = []
        #: backends of the workers; replaced as a whole by whoever opens them
        self.ours: tuple[int, ...] = ()
        #: what people asked for under way
        self.speed: Mapping[str, Any] = {}
        self.is_watching = False
        self.canary_limit = 3.0

    def start(self, *, wait_seconds: float = 1.0) -> None:
        """Begin; returns when the canary's calm value is known, or after ``wait_seconds``."""
        self._ready = threading.Event()
        self._thread.start()
        self._ready.wait(wait_seconds)

    def stop(self) -> None:
        """End the thread and its session."""
        self._stop.set()
        self._thread.join(timeout=3)

    def readings(self) -> list[Reading]:
        """The latest value of each signal."""
        if not self.is_watching:
            return [signals.unknown("signals", "")]
        return signals.with_limits([self._canary_reading(), *self._often, *self._seldom], self._limits)

    def _canary_reading(self) -> Reading:
        times = self._limits.get("commit_latency", self.canary_limit)
        limit = max(self._baseline_ms + _NOISE_MS, times * self._baseline_ms)
        return Reading(name="commit latency", value=third_quartile(list(self._canary)), limit=round(limit, 2), unit="ms")

    def _watch(self) -> None:
        while not self._stop.is_set():
            with suppress(TargetError, psycopg.Error), Target.connect(self._dsn, purpose=self._purpose) as target:
                self._look(target.connection)
            self.is_watching = False
            self._ready.set()
            self._stop.wait(1.0)

    def _look(self, connection: psycopg.Connection[Any]) -> None:
        connection.prepare_threshold = 2
        if not self._baseline_ms:
            self._measure_calm(connection)
        self.is_watching = True
        tick = 0
        while not self._stop.is_set():
            self._canary.append(self._commit(connection))
            if tick % 3 == 0:
                self._often = signals.read_often(connection, self.ours, self._usual_active)
            if tick % 10 == 0:
                seldom = signals.read_seldom(connection, self.ours, self._oids)
                self._seldom = [*seldom, *self._counters.read(connection, monotonic())]
            if tick == 0:
                self._ready.set()
            tick += 1
            self._stop.wait(_TICK_SECONDS)

    def _measure_calm(self, connection: psycopg.Connection[Any]) -> None:
        calm = []
        for _ in range(_BASELINE_COMMITS):
            calm.append(self._commit(connection))
            self._stop.wait(_BASELINE_REST_SECONDS)
        self._baseline_ms = third_quartile(calm)
        # the window begins full of calm: the first slow commit alone decides nothing
        self._canary.extend(calm)
        activity = signals.ask(connection, signals.ACTIVITY, {"ours": list(self.ours)})
        self._usual_active = float(activity["active"]) if activity else 0.0

    def _commit(self, connection: psycopg.Connection[Any]) -> float:
        started = perf_counter()
        row = connection.execute(self._statement, {"job": self._job}).fetchone()
        took = (perf_counter() - started) * 1000
        if row is not None:
            self.speed = row[0] or {}
        return took
