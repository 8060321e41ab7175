"""The rollback direction: finished steps backwards, each with the plan's rollback SQL as units of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.engine.order import RunOrder
from app.plan.model import Step
from app.plan.way_back import WITHOUT_EFFECT, refusal_of
from app.steps.errors import NotUndoableError
from app.steps.protocol import StepKind, Undoable
from app.steps.registry import kind_of
from app.steps.sql_run import LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """How one step is undone."""

    #: the step with its rollback SQL in place of its own, or the step itself for a kind that undoes itself
    step: Step
    #: None where nothing has to be done
    kind: StepKind | None
    by_kind: bool = False
    #: why it can't be undone; None where it can
    refusal: NotUndoableError | None = None


def steps_to_undo(order: RunOrder, touched: frozenset[str]) -> Iterator[Step]:
    """The steps in scope that took effect, last one first."""
    for step in reversed(list(order.plan.steps())):
        in_scope = order.rollback_scope is None or step.id in order.rollback_scope
        if in_scope and step.id not in order.skipped and (order.forward_key is None or step.id in touched):
            yield step


def undo_of(step: Step, *, remains: Sequence[str] = ()) -> Undo:
    """How the step is undone, or why it can't be; ``remains``: the steps that stay done where the rollback stops here."""
    if step.kind in WITHOUT_EFFECT:
        return Undo(step=step, kind=None)
    kind, rollback = kind_of(step.kind), step.rollback
    if rollback is not None and rollback.sql:
        limits = {name: step.spec[name] for name in LIMITS if name in step.spec}
        undoing = replace(step, kind="sql", spec={"sql": rollback.sql, **limits}, source_file=None, source_line=None)
        return Undo(step=undoing, kind=kind_of("sql"))
    reason = refusal_of(step)
    if isinstance(kind, Undoable) and (rollback is None or reason is None):
        return Undo(step=step, kind=kind, by_kind=True)
    if reason is None:
        return Undo(step=step, kind=None)
    stays = f"Still done, and kept so: {', '.join(remains)}." if remains else "It is the last one: nothing else is left to undo."
    return Undo(
        step=step,
        kind=None,
        refusal=NotUndoableError(
            f"Step {step.id} can't be undone: {reason} {stays}",
            hint="Skip it with a reason to undo what is left, or restore from the backup.",
        ),
    )
