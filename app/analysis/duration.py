"""How long work on a table takes: a rate for each class of work, as measured once for all, or learned on the target itself.

Measured on PostgreSQL 18 with 800,000 rows (103 MB), warm cache, two shared cores; linear between 200,000 and 800,000 rows.
What really happened on a target replaces these numbers there (app/analysis/calibration.py).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

WorkClass = Literal["metadata", "scan", "validate", "build", "build beside", "rewrite", "bulk"]
WORK_CLASSES: tuple[WorkClass, ...] = get_args(WorkClass)

MIB = 1024 * 1024
#: milliseconds per MiB of heap, lowest and highest seen
_MEASURED: Mapping[WorkClass, tuple[float, float]] = {
    "scan": (0.3, 0.3),  # CHECK and NOT NULL
    "validate": (0.5, 0.6),  # FOREIGN KEY
    "build": (2.2, 3.1),  # CREATE INDEX on integer or text
    "build beside": (2.9, 3.3),  # CREATE INDEX CONCURRENTLY: two scans, without its waits
    "rewrite": (5.6, 9.1),  # type change with one index; VACUUM FULL is the upper end
    "bulk": (20.0, 28.0),  # UPDATE of every row: ten times the rate for a tenth of the rows
}
#: a target is colder and busier than the machine of the measurement; its own history replaces this number
COLD_FACTOR = 5.0
#: milliseconds of a change of the catalog alone, whatever the table's size: lowest, usual, highest
CATALOG_MS = (0.5, 3.0, 20.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Milliseconds per MiB of one class of work."""

    low: float
    expected: float
    high: float
    #: statements of this target that it was learned from; 0 where it is assumed
    measured: int = 0


Rates = Mapping[WorkClass, Rate]


def _assumed(low: float, high: float) -> Rate:
    return Rate(low=low, expected=math.sqrt(low * high * COLD_FACTOR), high=high * COLD_FACTOR)


#: What is taken where a target has no history.
ASSUMED: Rates = {work: _assumed(*span) for work, span in _MEASURED.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """Milliseconds: the least, what is expected, and the most."""

    low_ms: float
    expected_ms: float
    high_ms: float

    @property
    def span(self) -> tuple[float, float]:
        """The least and the most."""
        return (self.low_ms, self.high_ms)


def estimate(work: WorkClass, table_bytes: int, *, rates: Rates = ASSUMED) -> Duration:
    """How long a class of work takes on a heap of that size."""
    if work == "metadata":
        low, expected, high = CATALOG_MS
        return Duration(low_ms=low, expected_ms=expected, high_ms=high)
    rate, mebibytes = rates[work], table_bytes / MIB
    return Duration(
        low_ms=round(rate.low * mebibytes, 1),
        expected_ms=round(rate.expected * mebibytes, 1),
        high_ms=round(rate.high * mebibytes, 1),
    )


def total(durations: Iterable[Duration]) -> Duration:
    """One after the other."""
    known = list(durations)
    return Duration(
        low_ms=round(sum(each.low_ms for each in known), 1),
        expected_ms=round(sum(each.expected_ms for each in known), 1),
        high_ms=round(sum(each.high_ms for each in known), 1),
    )


def in_words(milliseconds: float) -> str:
    """``85 ms``, ``3.2 s``, ``12 min``: for people."""
    if milliseconds < 1:
        return "less than 1 ms"
    if milliseconds < 1000:  # noqa: PLR2004  # a second has a thousand milliseconds
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"  # noqa: PLR2004  # two minutes
