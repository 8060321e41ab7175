"""Evaluates the monitoring checklist (F24): each item from what was measured, never from hope.

An item fails as soon as there is reason to, passes only when its window is over, and until then says how it looks. What can't be
told is unknown, and unknown is never green.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from app.monitoring import judges_early, judges_late
from app.monitoring.evidence import Evidence, Finding, Judgement
from app.monitoring.windows import WINDOWS, is_over
from app.plan.checklist import MONITORING_CHECKLIST, ChecklistItem

_JUDGES: Mapping[str, Callable[[Evidence], Finding]] = {
    "no_migration_errors": judges_early.no_migration_errors,
    "application_responding": judges_early.application_responds,
    "error_rates_steady": judges_early.no_more_errors,
    "queries_steady": judges_early.queries_stable,
    "no_slow_queries": judges_early.no_slow_queries,
    "data_verified": judges_late.data_verified,
    "indexes_used": judges_late.indexes_used,
    "sizes_reasonable": judges_late.size_reasonable,
    "no_orphans": judges_late.no_orphans,
}


#: what only time can show: a new index is not unused because nobody asked for it in its first minute
_ONLY_AT_THE_END = frozenset({"indexes_used"})


def evaluate(
    evidence: Evidence, *, finished_at: datetime, now: datetime, items: Iterable[ChecklistItem] = MONITORING_CHECKLIST
) -> tuple[Judgement, ...]:
    """Every item judged as of now."""
    return tuple(evaluate_item(item, evidence, finished_at=finished_at, now=now) for item in items)


def evaluate_item(item: ChecklistItem, evidence: Evidence, *, finished_at: datetime, now: datetime) -> Judgement:
    """One item judged as of now; an item that Headgate has no judge for stays pending until a person says so."""
    judge, window = _JUDGES.get(item.proof or ""), item.window or WINDOWS[-1].id
    if judge is None:
        return Judgement(item_id=item.id, window=window, state="pending", sentence="A person has to say so.")
    found = judge(evidence)
    is_early = not is_over(window, finished_at, now)
    if not is_early or (found.state == "failed" and item.proof not in _ONLY_AT_THE_END):
        return Judgement(item_id=item.id, window=window, state=found.state, sentence=found.sentence, figures=found.figures)
    so_far = f"Not known yet: {found.sentence}" if found.state == "unknown" else f"So far: {found.sentence}"
    return Judgement(item_id=item.id, window=window, state="pending", sentence=so_far, figures=found.figures)
