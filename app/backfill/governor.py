"""Between the signals and the workers: how long the next batch may take, how long to rest after it, and what to tell people."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from app.backfill.definition import BackfillDefinition
from app.backfill.pace import PROFILES, Profile, RateLimit, Throttle
from app.backfill.prepare import with_speed
from app.backfill.sentinel import Sentinel
from app.backfill.signals import OLD_HOLDER_SECONDS, Reading, halted_by, limiting

_LOOK_SECONDS = 0.25
#: a batch under a rate limit holds the rows of so many seconds
_BATCH_SHARE_OF_RATE = 0.25


class Governor:
    """One for all workers of a job; its methods may be called from any of their threads."""

    def __init__(self, definition: BackfillDefinition, sentinel: Sentinel, speed: Callable[[], Mapping[str, Any]] = dict) -> None:
        """``speed``: what people ask for now, besides what the target's own row says."""
        self._ask_speed = speed
        self._asked = definition
        self._sentinel = sentinel
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._readings: list[Reading] = []
        self.throttle = Throttle(profile=PROFILES[definition.profile])
        self._rate = RateLimit(definition.max_rate)
        sentinel.canary_limit = self.throttle.profile.canary_limit

    def look(self, now: float) -> bool:
        """Take in the signals where a quarter of a second has passed; True where it did."""
        with self._lock:
            if now - self._looked_at < _LOOK_SECONDS:
                return False
            self._looked_at = now
            self._follow(with_speed(self._asked, {**self._ask_speed(), **self._sentinel.speed}))
            self._readings = self._sentinel.readings()
            load = max((reading.load for reading in self._readings if not reading.stops), default=0.0)
            self.throttle.sense(load, halted_by(self._readings))
            return True

    def _follow(self, wanted: BackfillDefinition) -> None:
        self.throttle.change_profile(PROFILES[wanted.profile])
        self._sentinel.canary_limit = self.throttle.profile.canary_limit
        if wanted.max_rate != self._rate.rows_per_second:
            self._rate = RateLimit(wanted.max_rate)

    @property
    def speed(self) -> tuple[Profile, float | None]:
        """Profile and rows a second that are wanted now."""
        return self.throttle.profile, self._rate.rows_per_second

    @property
    def most_rows(self) -> int | None:
        """Rows that a batch may hold under the rate limit."""
        rate = self._rate.rows_per_second
        return None if rate is None else max(1, int(rate * _BATCH_SHARE_OF_RATE))

    @property
    def passes(self) -> int | None:
        """1 while an old snapshot keeps passes from reusing space, else None: as the strategy says."""
        old = next((reading for reading in self._readings if reading.name == "oldest transaction"), None)
        return 1 if old is not None and old.value > OLD_HOLDER_SECONDS else None

    def rest_after(self, rows: int, seconds: float, now: float) -> float:
        """Seconds to rest after a batch."""
        with self._lock:
            return max(self.throttle.nice * seconds, self._rate.rest_after(rows, now))

    @property
    def limiting(self) -> Reading | None:
        """The signal that holds us back now."""
        return limiting(self._readings)

    def signals(self) -> Mapping[str, Mapping[str, Any]]:
        """The signals as a gauge carries them."""
        return {reading.name: reading.as_json() for reading in self._readings}
