"""Levels: what a kind of work on a table of some size and traffic is worth, as a table with its reasons."""

from typing import Literal

from app.analysis.duration import ASSUMED, Rates, WorkClass, estimate, in_words
from app.analysis.rule import Risk, lowered
from app.analysis.tables import Table

Blocked = Literal["reads and writes", "writes", "nothing"]

#: bytes and rows up to which a table is small: work on it ends before anybody waits (F5: "indexes on small tables" are low)
SMALL_BYTES, SMALL_ROWS = 10 * 1024**2, 100_000
#: from here on a table is large
LARGE_BYTES, LARGE_ROWS = 1024**3, 1_000_000
#: longest acceptable block in milliseconds: (low up to, medium up to)
_LIMITS: dict[Blocked, tuple[float, float]] = {
    "reads and writes": (500, 5_000),
    "writes": (2_000, 20_000),
    "nothing": (60_000, 600_000),
}
#: for tables that are taken as large and busy
_ASSUMED: dict[WorkClass, Risk] = {
    "scan": "medium",  # about 1.5 s for a GiB
    "validate": "medium",  # about 3 s for a GiB
    "metadata": "low",
    "build": "high",  # about 12 s for a GiB
    "build beside": "low",  # nobody waits for it
    "rewrite": "high",  # about 45 s for a GiB
    "bulk": "high",
}


def is_free(table: Table) -> bool:
    """True where work on the table costs nothing: the input made it, or emptied it."""
    return table.is_new or table.is_empty


def size_word(table: Table) -> str:
    """``small``, ``medium``, ``large``, or ``of unknown size``."""
    facts = table.statistics
    if facts is None:
        return "of unknown size"
    rows = facts.estimated_rows or facts.live_rows or 0
    if facts.total_bytes >= LARGE_BYTES or rows > LARGE_ROWS:
        return "large"
    return "small" if facts.total_bytes < SMALL_BYTES and rows <= SMALL_ROWS else "medium"


def level(
    table: Table,
    work: WorkClass,
    blocked: Blocked = "reads and writes",
    *,
    assume_large: bool = False,
    rates: Rates = ASSUMED,
) -> Risk:
    """The level of some work on one table, by its size and traffic."""
    if is_free(table):
        return "low"
    facts = table.statistics
    if facts is None or assume_large:
        return _ASSUMED[work]
    word = size_word(table)
    if word == "small":
        return "low"
    low_ms, medium_ms = _LIMITS[blocked]
    expected = estimate(work, facts.table_bytes, rates=rates).high_ms
    if expected > medium_ms or (word == "large" and work in {"build", "rewrite", "bulk"}):
        found: Risk = "high"
    else:
        found = "medium" if expected > low_ms or work != "bulk" or word == "large" else "low"
    is_idle = facts.reads_per_second == 0 and facts.writes_per_second == 0
    return lowered(found) if is_idle else found


def size_in_words(table: Table, work: WorkClass | None = None, *, rates: Rates = ASSUMED) -> str:
    """``large (2.1 GiB, about 4,200,000 rows): about 13 s``; the number and the reason, not only the word."""
    facts = table.statistics
    if facts is None:
        return "its size is not known, so it is taken as large and busy"
    rows = f"about {facts.estimated_rows:,} rows" if facts.estimated_rows is not None else "rows not counted yet"
    size = f"{facts.total_bytes / 1024**2:,.1f} MiB, {rows}"
    if work is None:
        return size
    duration = estimate(work, facts.table_bytes, rates=rates)
    return f"{size}: {in_words(duration.low_ms)} to {in_words(duration.high_ms)}"
