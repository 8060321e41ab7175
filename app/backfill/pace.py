"""How big the next batch is and how long we rest after it: a time budget first, sleep second. Time and signals are handed in.

Shrinking the batch lowers the application's p99; sleeping only lowers the mean load. So the target time falls first, and sleep
begins when it is at its least.
"""

from dataclasses import dataclass, field

from app.backfill.definition import ProfileName

#: how much of the last measurement goes into the estimated speed
_NEW_SHARE = 0.2
_MOST_NICE = 6.0
_GOOD_SAMPLES_BEFORE_RESUME = 3
#: idle time that a rate limit lets us catch up with
_SAVED_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How hard a backfill may push."""

    target_seconds: float
    least_seconds: float
    most_seconds: float
    #: rest after each batch, as a multiple of its duration
    nice: float
    #: the canary's third quartile may be so many times its value before the start
    canary_limit: float


PROFILES: dict[ProfileName, Profile] = {
    "fast": Profile(target_seconds=0.050, least_seconds=0.001, most_seconds=0.050, nice=0.0, canary_limit=5.0),
    "balanced": Profile(target_seconds=0.020, least_seconds=0.001, most_seconds=0.020, nice=0.0, canary_limit=3.0),
    "gentle": Profile(target_seconds=0.001, least_seconds=0.001, most_seconds=0.001, nice=2.0, canary_limit=1.5),
}


class BatchSize:
    """The size of the next batch of one worker, in units of its walk (rows for keys, tuple slots for pages)."""

    def __init__(self, *, first: int, least: int, most: int) -> None:
        self.units = max(1, first)
        self.least = least
        self.most = most
        self._rate: float | None = None

    def took(self, units: int, seconds: float, target_seconds: float) -> None:
        """Learn from a batch that committed."""
        if self.units < self.least:
            # we were looking for a row that fails; the rest of its neighbourhood is fine
            self.units = min(self.units * 2, self.most)
            return
        measured = units / max(seconds, 1e-6)
        self._rate = measured if self._rate is None else (1 - _NEW_SHARE) * self._rate + _NEW_SHARE * measured
        if seconds > 2 * target_seconds:
            wanted = self.units / 2
        else:
            wanted = min(max(self._rate * target_seconds, self.units / 2), self.units * 2)
        self.units = self._within(wanted)

    def shrink(self) -> None:
        """Take half: the last batch stood in the way of somebody, or somebody in ours."""
        self.units = self._within(self.units / 2)

    def bisect(self) -> None:
        """Take half, down to a single unit: a row of the last batch can't be updated."""
        self.units = max(1, self.units // 2)

    def _within(self, wanted: float) -> int:
        return max(1, min(self.most, max(self.least, int(wanted))))


@dataclass(slots=True, kw_only=True)
class Throttle:
    """The shared governor: how long a batch may take and how long the rest after it is, steered by the signals."""

    profile: Profile
    target_seconds: float = 0.0
    nice: float = 0.0
    #: the name of the signal that stops the walk altogether, or ""
    stopped_by: str = ""
    _good: int = field(default=0)

    def __post_init__(self) -> None:
        """Begin with what the profile says."""
        self.target_seconds, self.nice = self.profile.target_seconds, self.profile.nice

    def change_profile(self, profile: Profile) -> None:
        """Begin anew with another profile."""
        if profile != self.profile:
            self.profile = profile
            self.target_seconds, self.nice = profile.target_seconds, profile.nice

    def sense(self, load: float, stopping: str = "") -> None:
        """Take in a sample: ``load`` is the greatest of value/limit, ``stopping`` names a signal that means halt."""
        if stopping:
            self.stopped_by, self._good = stopping, 0
            return
        if self.stopped_by:
            self._good = self._good + 1 if load <= 1 else 0
            if self._good >= _GOOD_SAMPLES_BEFORE_RESUME:
                self.stopped_by = ""
            return
        if load > 1:
            self._slow_down()
        elif load < 0.8:  # noqa: PLR2004 (the band between 0.8 and 1 is left alone on purpose)
            self._speed_up()

    def _slow_down(self) -> None:
        least = self.profile.least_seconds
        if self.target_seconds > least:
            self.target_seconds = max(least, 0.7 * self.target_seconds)
        else:
            self.nice = min(_MOST_NICE, 1.3 * self.nice + 0.1)

    def _speed_up(self) -> None:
        if self.nice > self.profile.nice:
            self.nice = max(self.profile.nice, 0.85 * self.nice - 0.02)
        else:
            self.target_seconds = min(self.profile.most_seconds, self.target_seconds + 0.0005)

    @property
    def is_slowed(self) -> bool:
        """True while the signals hold us below what the profile allows."""
        return bool(self.stopped_by) or self.nice > self.profile.nice or self.target_seconds < 0.6 * self.profile.most_seconds


class RateLimit:
    """At most so many rows a second, on average; a debt of rest is paid after each batch."""

    def __init__(self, rows_per_second: float | None) -> None:
        self.rows_per_second = rows_per_second
        self._free_at: float | None = None

    def rest_after(self, rows: int, now: float) -> float:
        """Seconds to rest at ``now``, a monotonic time, after a batch of ``rows``."""
        if not self.rows_per_second:
            return 0.0
        # unused time is not saved up: a burst after a quiet minute is what the limit is there against
        begun = now if self._free_at is None else max(self._free_at, now - _SAVED_SECONDS)
        self._free_at = begun + rows / self.rows_per_second
        return max(0.0, self._free_at - now)


def retry_rest(attempt: int, chance: float) -> float:
    """Seconds to stay away after a failed lock: 50 ms doubling to 2 s, ``chance`` (0 to 1) spreads it over its upper half."""
    return float(min(2.0, 0.05 * 2 ** min(attempt - 1, 10))) * (0.5 + 0.5 * chance)
