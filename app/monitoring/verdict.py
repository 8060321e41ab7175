"""Differences -> fine, watch, worse or unknown, each with its reasons and the thresholds it was measured by.

Unknown is never green. A statement with few calls can still be worse: a workload that stalls for want of an index makes few.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from app.catalog.encoding import from_json
from app.monitoring.differences import Comparison, StatementDifference

State = Literal["fine", "watch", "worse", "unknown"]
StatementState = Literal["worse", "slower", "same", "better", "new", "gone", "unknown"]
Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From when on a difference counts; shown beside every verdict."""

    #: a statement is judged with that many calls in both intervals, and by the extreme rule with the smaller number
    least_calls: int = 50
    least_calls_extreme: int = 5
    #: worse: so many times slower, so many standard errors, at least so many ms
    worse_ratio: float = 1.5
    extreme_ratio: float = 3.0
    worse_t: float = 4.0
    extreme_t: float = 6.0
    least_delta_ms: float = 1.0
    #: slower: a smaller change that still adds load or reads more blocks
    slower_ratio: float = 1.2
    slower_load_ms_per_second: float = 1.0
    slower_blocks_ratio: float = 1.2
    #: a new statement is slow from here on, and matters from this share of the tables' time
    slow_ms: float = 100.0
    slow_share: float = 0.01
    #: gone: called at least so often before
    gone_calls: int = 50
    #: a verdict over all wants this share of the time before to be seen again
    least_coverage: float = 0.95
    control_least: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementVerdict:
    """One statement judged."""

    key: str
    query: str
    state: StatementState
    confidence: Confidence
    #: with the figures in it
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The whole comparison judged."""

    state: State
    reasons: tuple[str, ...]
    statements: tuple[StatementVerdict, ...] = ()
    #: of the time that the tables' statements took before, the share that could be judged; None without any
    judged_share: float | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)

    @property
    def is_covered(self) -> bool:
        """True where enough of what the tables' statements cost before could be judged."""
        return self.judged_share is not None and self.judged_share >= self.thresholds.least_coverage

    def of(self, *states: StatementState) -> tuple[StatementVerdict, ...]:
        """The statements in these states."""
        return tuple(found for found in self.statements if found.state in states)

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON values; nothing is left out."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Verdict":
        """The verdict that ``as_json`` wrote."""
        return from_json(cls, content)


def verdict(comparison: Comparison, thresholds: Thresholds | None = None) -> Verdict:
    """The judgement of a comparison: statements by ratio, standard errors and added load, and all of them together."""
    limits = thresholds or Thresholds()
    statements = tuple(_judged(found, comparison, limits) for found in comparison.statements)
    share = _judged_share(comparison, statements)
    judged = Verdict(state="fine", reasons=(), statements=statements, judged_share=share, thresholds=limits)
    state: State = "fine"
    if judged.of("worse"):
        state = "worse"
    elif not comparison.has_statements:
        state = "unknown"
    elif judged.of("slower", "gone") or slow_new(comparison, limits):
        state = "watch"
    elif not judged.is_covered:
        state = "unknown"
    return replace(judged, state=state, reasons=tuple(_reasons(judged, comparison)))


def judge_statement(found: StatementDifference, limits: Thresholds) -> StatementState:
    """The state of one statement by its measures alone."""
    if found.presence != "both":
        return found.presence if found.presence == "new" or found.calls_before >= limits.gone_calls else "unknown"
    least = min(found.calls_before, found.calls_after)
    if found.ratio is None or found.t is None or found.delta_ms is None or least < limits.least_calls_extreme:
        return "unknown"
    if found.ratio >= limits.extreme_ratio and found.t >= limits.extreme_t and found.delta_ms >= limits.least_delta_ms:
        return "worse"
    return "unknown" if least < limits.least_calls else _by_change(found, found.ratio, found.t, found.delta_ms, limits)


def _by_change(found: StatementDifference, ratio: float, t: float, delta_ms: float, limits: Thresholds) -> StatementState:
    if t >= limits.worse_t:
        if ratio >= limits.worse_ratio and delta_ms >= limits.least_delta_ms:
            return "worse"
        adds = (found.added_load or 0.0) >= limits.slower_load_ms_per_second
        if ratio >= limits.slower_ratio and (adds or (found.blocks_ratio or 0.0) >= limits.slower_blocks_ratio):
            return "slower"
    return "better" if ratio <= 1 / limits.slower_ratio and t <= -limits.worse_t else "same"


def slow_new(comparison: Comparison, limits: Thresholds) -> tuple[StatementDifference, ...]:
    """Statements that were not seen before and are slow enough to matter."""
    total = sum(found.total_after_ms for found in comparison.statements)
    return tuple(
        found
        for found in comparison.statements
        if found.presence == "new"
        and found.calls_after >= limits.least_calls_extreme
        and (found.mean_after_ms or 0.0) >= limits.slow_ms
        and found.total_after_ms >= limits.slow_share * total
    )


def _judged_share(comparison: Comparison, statements: tuple[StatementVerdict, ...]) -> float | None:
    if comparison.coverage is None:
        return None
    shares = {found.key: found.share_before for found in comparison.statements}
    return sum(shares[found.key] for found in statements if found.state not in {"unknown", "gone", "new"})


def _judged(found: StatementDifference, comparison: Comparison, limits: Thresholds) -> StatementVerdict:
    state = judge_statement(found, limits)
    return StatementVerdict(
        key=found.key,
        query=found.query,
        state=state,
        confidence=_confidence(found, comparison, limits),
        reason=_reason(found, state, comparison, limits),
    )


def _confidence(found: StatementDifference, comparison: Comparison, limits: Thresholds) -> Confidence:
    few = min(found.calls_before, found.calls_after) < limits.least_calls
    if few or found.notes or comparison.control_size < limits.control_least or comparison.notes:
        return "low"
    same_blocks = found.ratio is not None and found.blocks_ratio is not None and (found.ratio > 1) == (found.blocks_ratio > 1)
    many = min(found.calls_before, found.calls_after) >= 4 * limits.least_calls
    return "high" if many and abs(found.t or 0.0) >= limits.extreme_t and same_blocks else "medium"


def _reason(found: StatementDifference, state: StatementState, comparison: Comparison, limits: Thresholds) -> str:
    if state == "new":
        return f"not seen before: {found.calls_after:,} calls, {_ms(found.mean_after_ms)} on average"
    if state == "gone":
        return f"called {found.calls_before:,} times before and not since"
    if found.presence == "gone":
        return f"called {found.calls_before:,} times before and not since: too few to tell"
    means = f"{_ms(found.mean_before_ms)} before, {_ms(found.mean_after_ms)} after"
    if state == "unknown":
        return f"{means}; {found.calls_before} and {found.calls_after} calls are too few (at least {limits.least_calls})"
    factor = comparison.control_factor
    corrected = f": {_times(found.ratio)} of what was to be expected, since everything else is at {_times(factor)}"
    blocks = f"; {_times(found.blocks_ratio)} the blocks a call" if found.blocks_ratio is not None else ""
    return f"{means}{corrected}{blocks}; {found.calls_after:,} calls"


def _reasons(judged: Verdict, comparison: Comparison) -> Iterator[str]:
    if not comparison.has_statements:
        yield "There is no pg_stat_statements: statements can't be compared."
        return
    for found in judged.of("worse", "slower", "gone"):
        yield f"{found.state}: {' '.join(found.query.split())[:120]}: {found.reason}."
    for slow in slow_new(comparison, judged.thresholds):
        yield f"new and slow: {' '.join(slow.query.split())[:120]}: {_ms(slow.mean_after_ms)}, {slow.calls_after:,} calls."
    if comparison.coverage is None:
        yield "No statement on these tables was seen before."
    elif not judged.is_covered:
        least = judged.thresholds.least_coverage
        yield f"Less than {least:.0%} of what these tables' statements cost before could be judged."
    yield from comparison.notes


def _ms(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:.0f} ms" if value >= 100 else f"{value:.3g} ms"  # noqa: PLR2004  # three digits, whatever the size


def _times(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}x"
