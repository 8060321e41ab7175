"""If you stop here: what stays, what is undone by itself, and what the way on and the way back would be."""

from collections.abc import Sequence
from typing import Protocol

from app.plan.model import Grade, Plan
from app.run.states import StepState
from app.web.formats import plural

_GRADES: tuple[Grade, ...] = ("lossless", "loses-new-writes", "irreversible")
_UNITS = {
    "sql": "The open transaction is rolled back; units that had committed stay.",
    "backfill": "The open batch is rolled back; rows of earlier batches keep their new value.",
    "backup": "The unfinished dump is removed.",
}
_BACK = {
    "lossless": "Rolling back restores the schema and loses nothing.",
    "loses-new-writes": "Rolling back loses what the application wrote into the new objects since.",
    "irreversible": "At least one finished step can't be undone: only a backup brings its data back.",
}


class _Row(Protocol):
    @property
    def step_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def state(self) -> StepState: ...


def if_you_stop(content: Plan, timeline: Sequence[_Row], current: _Row, *, is_rollback: bool) -> tuple[str, ...]:
    """Plain sentences, the most important one first."""
    done = [row for row in timeline if row.state in (StepState.SUCCEEDED, StepState.ROLLED_BACK)]
    said = []
    if current.state in (StepState.RUNNING, StepState.WAITING) and current.kind in _UNITS:
        said.append(_UNITS[current.kind])
    if done:
        word = "undone" if is_rollback else "done"
        stay = "is" if len(done) == 1 else "are"
        counted = "All steps are" if len(done) == len(timeline) > 1 else f"{len(done)} of {plural(len(timeline), 'step')} {stay}"
        said.append(f"{counted} {word}{'' if len(done) == len(timeline) else f', up to “{done[-1].title}”, and stay so'}.")
    elif not said:
        said.append("Nothing was changed on the target yet.")
    if current.state not in (StepState.SUCCEEDED, StepState.ROLLED_BACK):
        said.append(f"Resuming goes on with “{current.title}”.")
    if done and not is_rollback:
        said.append(_BACK[_worst(content, [row.step_id for row in done])])
    return tuple(said)


def _worst(content: Plan, step_ids: Sequence[str]) -> Grade:
    grades = [step.rollback.grade for step in content.steps() if step.id in step_ids and step.rollback is not None]
    return max(grades, key=_GRADES.index, default="lossless")
