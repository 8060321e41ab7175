"""The clock that runs go by: that of Headgate's own database, however wrong a worker's own is.

Windows, schedules, waits and the times on the pages are decided by one clock, so that a worker whose clock is five minutes fast
neither begins five minutes early nor lets a run sleep five minutes too long.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text

_NOW = text("SELECT clock_timestamp()")


@dataclass(slots=True)
class StoreClock:
    """Asks the database when it is first looked at, and counts on from there: a clock that is set meanwhile changes nothing."""

    engine: Engine
    _asked_at: float = 0.0
    _answer: datetime | None = None

    def now(self) -> datetime:
        """The time of day, in UTC.

        Raises OperationalError where the database does not answer the first time.
        """
        if self._answer is None:
            with self.engine.connect() as connection:
                self._answer = connection.execute(_NOW).scalar_one().astimezone(UTC)
            self._asked_at = self.monotonic()
        return self._answer + timedelta(seconds=self.monotonic() - self._asked_at)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back; of this machine, for durations."""
        return time.monotonic()
