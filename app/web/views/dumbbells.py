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
_THREE_DIGITS, _MOST_TICKS = 100.0, 7


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
    #: (from, width) of the band in which it counts as unchanged; None where there is no expectation
    band: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark of the scale that all statements share."""

    x: float
    text: str


def ticks(comparison: Comparison) -> tuple[Tick, ...]:
    """Round times on the scale, at most seven."""
    low, high = _scale(comparison.statements)
    if high <= low:
        return (Tick(x=50.0, text=_mean(low)),)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1,)):
        found = [10.0**decade * step for decade in decades for step in steps if low <= 10.0**decade * step <= high]
        if len(found) <= _MOST_TICKS:
            break
    spaced = found[:: math.ceil(len(found) / _MOST_TICKS)] if len(found) > 1 else [low, high]
    return tuple(Tick(x=place(value, low, high) or 0.0, text=_mean(value)) for value in spaced)


def dumbbells(comparison: Comparison, verdict: Verdict) -> tuple[Dumbbell, ...]:
    """Every statement of the comparison, sorted by harm."""
    judged = {found.key: found for found in verdict.statements}
    rows = sorted(
        comparison.statements,
        key=lambda row: (_RANK.index(judged[row.key].state) if row.key in judged else len(_RANK), -(row.added_load or 0.0)),
    )
    scale = _scale(rows)
    factor = comparison.control_factor
    unchanged = verdict.thresholds.slower_ratio
    return tuple(_dumbbell(row, judged.get(row.key), scale, factor, unchanged) for row in rows)


def _scale(rows: Sequence[StatementDifference]) -> tuple[float, float]:
    seen = [mean for row in rows for mean in (row.mean_before_ms, row.mean_after_ms) if mean]
    return (max(min(seen), _LEAST_MS), max(*seen, _LEAST_MS)) if seen else (1.0, 1.0)


def _dumbbell(
    row: StatementDifference, judged: StatementVerdict | None, scale: tuple[float, float], factor: float, unchanged: float
) -> Dumbbell:
    tone, icon, word = _TONES[judged.state if judged else "unknown"]
    before, after = row.mean_before_ms, row.mean_after_ms
    expected = before * factor if before is not None and row.presence == "both" else None
    return Dumbbell(
        query=" ".join(row.query.split()),
        tone=tone,
        icon=icon,
        word=word,
        reason=_reason(row, judged),
        confidence=judged.confidence if judged else "low",
        before="" if before is None else _mean(before),
        after="" if after is None else _mean(after),
        calls=f"{row.calls_before:,} then {row.calls_after:,}",
        ratio="" if row.ratio is None else f"{row.ratio:.2f}x",
        x_before=place(before, *scale),
        x_after=place(after, *scale),
        x_expected=place(expected, *scale),
        band=_band(expected, unchanged, scale),
    )


def _reason(row: StatementDifference, judged: StatementVerdict | None) -> str:
    """What the figures beside it do not say."""
    if judged is None or row.presence != "both" or judged.state == "unknown":
        return judged.reason if judged else ""
    blocks = f"{row.blocks_ratio:.2f}x the blocks a call, " if row.blocks_ratio is not None else ""
    return f"{blocks}{row.calls_after:,} calls"


def _band(expected: float | None, unchanged: float, scale: tuple[float, float]) -> tuple[float, float] | None:
    if not expected or scale[1] <= scale[0]:
        return None
    left, right = (place(value, *scale) or 0.0 for value in (expected / unchanged, expected * unchanged))
    return left, round(right - left, 2)


def _mean(value: float) -> str:
    """Three digits whatever the size: two means that differ must not look the same."""
    return milliseconds(value) if value >= _THREE_DIGITS else f"{value:.3g} ms"


def place(value: float | None, low: float, high: float) -> float | None:
    """Where a time stands on a logarithmic scale, in percent: twice as slow is the same distance everywhere."""
    if value is None or value <= 0:
        return None
    if high <= low:
        return 50.0
    share = (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
    return round(_MARGIN + _WIDTH * min(1.0, max(0.0, share)), 2)
