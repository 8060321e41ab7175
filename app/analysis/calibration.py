"""What really happened on a target -> the rates of its next estimates, and how good the last ones were (F32)."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.analysis.duration import ASSUMED, MIB, WORK_CLASSES, Rate, Rates, WorkClass

#: outcomes that count, the newest first: a server that got faster is known to be faster soon
MEMORY = 20
#: below a MiB, or below these many milliseconds, what is measured is the round trip and not the work
LEAST_BYTES, LEAST_MS = MIB, 20.0
#: a single measurement may be off by so much either way
_FEW_FACTOR = 2.0
#: from so many on the lowest and highest seen are taken, widened a little
_ENOUGH = 5
_ENOUGH_FACTOR = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One statement that ran on the target: what was predicted and what it took."""

    #: None where it did several classes of work
    work: WorkClass | None
    #: heap of the tables that it worked on, when it was predicted
    table_bytes: int
    expected_ms: float
    real_ms: float

    @property
    def tells(self) -> bool:
        """True where the work, and not the round trip, took the time."""
        return self.table_bytes >= LEAST_BYTES and max(self.real_ms, self.expected_ms) >= LEAST_MS and self.real_ms > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How good the last estimates on a target were."""

    #: statements that it rests on
    count: int
    #: half of them were off by less than this share of the real duration; None where there are none
    median_error: float | None = None

    def sentence(self) -> str:
        """For people: ``Median error of the last 20 on this server: 18 %``."""
        if self.median_error is None:
            return "Nothing has run on this server yet that these estimates could be compared with."
        shown = "the last one" if self.count == 1 else f"the last {self.count}"
        return f"Median error of {shown} on this server: {self.median_error * 100:.0f} %."


def learn(outcomes: Sequence[Outcome], *, assumed: Rates = ASSUMED) -> Rates:
    """The rates of a target from what happened there, the newest first; classes that never ran follow the others' factor."""
    seen: dict[WorkClass, list[float]] = {}
    for outcome in outcomes:
        if outcome.work is not None and outcome.work in assumed and outcome.tells:
            seen.setdefault(outcome.work, []).append(outcome.real_ms / (outcome.table_bytes / MIB))
    learned = {work: _learned(rates[:MEMORY]) for work, rates in seen.items()}
    factor = _machine_factor(learned, assumed)
    return {work: learned.get(work) or _scaled(rate, factor) for work, rate in assumed.items()}


def score(outcomes: Sequence[Outcome]) -> Score:
    """The median error of the newest outcomes, the newest first."""
    errors = [abs(each.expected_ms - each.real_ms) / each.real_ms for each in outcomes if each.tells][:MEMORY]
    return Score(count=len(errors), median_error=statistics.median(errors) if errors else None)


def _learned(rates: Sequence[float]) -> Rate:
    """Few measurements are widened a lot, many a little."""
    widened = _ENOUGH_FACTOR if len(rates) >= _ENOUGH else _FEW_FACTOR
    return Rate(low=min(rates) / widened, expected=statistics.median(rates), high=max(rates) * widened, measured=len(rates))


def _machine_factor(learned: Mapping[WorkClass, Rate], assumed: Rates) -> float | None:
    """How much slower than assumed the target is; None where nothing ran there."""
    factors = [rate.expected / assumed[work].expected for work, rate in learned.items()]
    return statistics.median(factors) if factors else None


def _scaled(rate: Rate, factor: float | None) -> Rate:
    """The assumption moved by what other work on this target showed; its width stays."""
    if factor is None or not math.isfinite(factor):
        return rate
    return replace(rate, low=rate.low * factor, expected=rate.expected * factor, high=rate.high * factor)


def measured_classes(rates: Rates) -> tuple[WorkClass, ...]:
    """The classes that were measured on the target itself."""
    return tuple(work for work in WORK_CLASSES if work in rates and rates[work].measured)
