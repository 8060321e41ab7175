"""Statements before and after as dumbbells on one scale of time, the worst first, with where nothing would have changed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.monitoring.differences import Comparison, StatementDifference
from app.monitoring.verdict import StatementVerdict, Verdict
from app.web.formats import milliseconds

SHOWN = 20
_RANK = ("worse", "slower", "gone", "new", "unknown", "same", "better")
_TONES = {
    "worse": ("is-bad", "trending-down", "worse"),
    "slower": ("is-warn", "trending-down", "a little slower"),
    "gone": ("is-warn", "circle-question-mark", "not seen since"),
    "new": ("is-idle", "plus", "new"),
    "unknown": ("is-idle", "circle-question-mark", "too few calls to tell"),
    "same": ("is-ok", "check", "as before"),
    "better": ("is-ok", "trending-up", "faster"),
}
_MARGIN, _WIDTH = 3.0, 94.0
_LEAST_MS = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Dumbbell:
    """One statement; places are percents of the width, None where there is no figure."""

    query: str
    tone: str
    icon: str
    word: str
    reason: str
    confidence: str
    before: str
    after: str
    calls: str
    ratio: str
    x_before: float | None
    x_after: float | None
    #: where it would stand if it had changed as everything else did
    x_expected: float | None


def dumbbells(comparison: Comparison, verdict: Verdict) -> tuple[Dumbbell, ...]:
    """Every statement of the comparison, sorted by harm."""
    judged = {found.key: found for found in verdict.statements}
    rows = sorted(
        comparison.statements,
        key=lambda row: (_RANK.index(judged[row.key].state) if row.key in judged else len(_RANK), -(row.added_load or 0.0)),
    )
    low, high = _scale(rows)
    factor = comparison.control_factor
    return tuple(_dumbbell(row, judged.get(row.key), low, high, factor) for row in rows)


def _scale(rows: Sequence[StatementDifference]) -> tuple[float, float]:
    seen = [mean for row in rows for mean in (row.mean_before_ms, row.mean_after_ms) if mean]
    return (max(min(seen), _LEAST_MS), max(*seen, _LEAST_MS)) if seen else (1.0, 1.0)


def _dumbbell(row: StatementDifference, judged: StatementVerdict | None, low: float, high: float, factor: float) -> Dumbbell:
    tone, icon, word = _TONES[judged.state if judged else "unknown"]
    before, after = row.mean_before_ms, row.mean_after_ms
    return Dumbbell(
        query=" ".join(row.query.split()),
        tone=tone,
        icon=icon,
        word=word,
        reason=judged.reason if judged else "",
        confidence=judged.confidence if judged else "low",
        before="" if before is None else milliseconds(before),
        after="" if after is None else milliseconds(after),
        calls=f"{row.calls_before:,} then {row.calls_after:,}",
        ratio="" if row.ratio is None else f"{row.ratio:.2f}x",
        x_before=place(before, low, high),
        x_after=place(after, low, high),
        x_expected=place(None if before is None else before * factor, low, high) if row.presence == "both" else None,
    )


def place(value: float | None, low: float, high: float) -> float | None:
    """Where a time stands on a logarithmic scale, in percent: twice as slow is the same distance everywhere."""
    if value is None or value <= 0:
        return None
    if high <= low:
        return 50.0
    share = (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
    return round(_MARGIN + _WIDTH * min(1.0, max(0.0, share)), 2)
