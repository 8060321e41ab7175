"""What the page shows of a backfill, folded from its workers' reports: rows, speed over wall time, and an honest time left."""

from collections import deque
from dataclasses import dataclass, field

from app.backfill.walker import Committed

#: seconds over which the speed forgets half of what was
_HALF_LIFE = 20.0
_RECENT = 20
#: the sweep at the end, as a share of the walk
_SWEEP_SHARE = 0.04


@dataclass(slots=True, kw_only=True)
class Progress:
    """Figures of one job over all its shards."""

    rows_done: int = 0
    rows_total: int | None = None
    batches: int = 0
    rows_seen: int = 0
    throttled_seconds: float = 0.0
    last_rows: int = 0
    last_seconds: float = 0.0
    #: batches and rows since the last event
    unsaid_batches: int = 0
    unsaid_rows: int = 0
    _speeds: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    _speed: float | None = None
    _counted_at: float | None = None
    _counted_rows: int = 0

    def committed(self, batch: Committed) -> None:
        """Count a batch."""
        self.rows_done += batch.rows
        self.rows_seen += batch.seen
        self.batches += 1
        self.unsaid_batches += 1
        self.unsaid_rows += batch.rows
        self.last_rows, self.last_seconds = batch.rows, batch.seconds

    def measure(self, now: float) -> None:
        """Take the speed since the last call; ``now`` is monotonic. Rests count: the time left is wall time."""
        if self._counted_at is None:
            self._counted_at, self._counted_rows = now, self.rows_done
            return
        span = now - self._counted_at
        if span <= 0:
            return
        speed = (self.rows_done - self._counted_rows) / span
        keep = 0.5 ** (span / _HALF_LIFE)
        self._speed = speed if self._speed is None else keep * self._speed + (1 - keep) * speed
        self._speeds.append(speed)
        self._counted_at, self._counted_rows = now, self.rows_done

    @property
    def rows_per_second(self) -> float | None:
        """Rows a second over wall time."""
        return self._speed

    def eta(self, fraction: float | None) -> tuple[float, float] | None:
        """Seconds left, low and high, from the speeds of the last looks; None where nothing moves."""
        left = self.rows_left(fraction)
        if left is None or not self._speed or len(self._speeds) < 3:  # noqa: PLR2004 (two looks show no spread)
            return None
        ordered = sorted(self._speeds)
        slow = max(min(ordered[len(ordered) // 10], self._speed), self._speed / 4)
        fast = max(ordered[len(ordered) // 2], self._speed)
        extra = 1 + _SWEEP_SHARE
        return round(left / fast * extra, 1), round(left / slow * extra, 1)

    def rows_left(self, fraction: float | None) -> int | None:
        """Rows that are still to be changed, as far as anybody can tell."""
        if self.rows_total is not None and self.rows_total > self.rows_done:
            return self.rows_total - self.rows_done
        if fraction and 0 < fraction <= 1:
            return int(self.rows_done * (1 - fraction) / fraction)
        return 0 if self.rows_total is not None else None
