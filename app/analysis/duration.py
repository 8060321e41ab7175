"""How long work on a table takes: rates per work class, measured, times a factor for colder machines.

Measured on PostgreSQL 18 with 800,000 rows (103 MB), warm cache, two shared cores; linear between 200,000 and 800,000 rows.
"""

from dataclasses import dataclass
from typing import Literal

WorkClass = Literal["scan", "validate", "build", "rewrite", "bulk"]

_MIB = 1024 * 1024
#: milliseconds per MiB of heap, lowest and highest seen
RATES_MS_PER_MIB: dict[WorkClass, tuple[float, float]] = {
    "scan": (0.3, 0.3),  # CHECK and NOT NULL
    "validate": (0.5, 0.6),  # FOREIGN KEY
    "build": (2.2, 3.1),  # CREATE INDEX on integer or text
    "rewrite": (5.6, 9.1),  # type change with one index; VACUUM FULL is the upper end
    "bulk": (20.0, 28.0),  # UPDATE of every row: ten times the rate for a tenth of the rows
}
#: a target is colder and busier than the machine of the measurement; its own history replaces this number
COLD_FACTOR = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A range of milliseconds: as measured here, and as expected on a colder machine."""

    low_ms: float
    high_ms: float


def estimate(work: WorkClass, table_bytes: int, *, factor: float = COLD_FACTOR) -> Duration:
    """How long a class of work takes on a heap of that size."""
    low, high = RATES_MS_PER_MIB[work]
    mebibytes = table_bytes / _MIB
    return Duration(low_ms=round(low * mebibytes, 1), high_ms=round(high * mebibytes * factor, 1))


def in_words(milliseconds: float) -> str:
    """``85 ms``, ``3.2 s``, ``12 min``: for people."""
    if milliseconds < 1000:  # noqa: PLR2004  # a second has a thousand milliseconds
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"  # noqa: PLR2004  # two minutes
