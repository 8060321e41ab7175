"""If you stop here: what stays, what is undone by itself, and the way on and back; once a run has ended, how it stands."""

from collections.abc import Sequence
from typing import Protocol

from app.plan.model import Grade, Plan
from app.run.states import RunState, StepState
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
_BEGUN = (StepState.RUNNING, StepState.WAITING, StepState.FAILED)
_COMMITTED = "What the last step had committed stays; its open unit of work was rolled back."
_RESUMING = "Resuming goes on with"
_ANEW = "It is not resumed: the plan can be started again, from its first step."


class _Row(Protocol):
    @property
    def step_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def state(self) -> StepState: ...


def how_it_stands(
    content: Plan, timeline: Sequence[_Row], current: _Row, *, state: RunState, is_rollback: bool
) -> tuple[str, ...]:
    """Plain sentences, the most important one first."""
    undone = [row for row in timeline if row.state is StepState.ROLLED_BACK]
    if state is RunState.COMPLETED and is_rollback:
        rest = len(timeline) - len(undone)
        said = f"{_counted(undone, timeline)} undone." if undone else "There was nothing to undo."
        return (said, f"{plural(rest, 'step')} had nothing to undo.") if undone and rest else (said,)
    if state is RunState.ROLLED_BACK:
        kept = sum(row.state is StepState.SUCCEEDED for row in timeline)
        said = f"{plural(len(undone), 'finished step')} {'is' if len(undone) == 1 else 'are'} undone"
        return (f"{said}, {kept} {'stays' if kept == 1 else 'stay'} done." if kept else f"{said}; none stays done.", _ANEW)
    if state is RunState.CANCELLED:
        ways = [line for line in _if_you_stop(content, timeline, current, is_rollback=is_rollback) if _RESUMING not in line]
        partly = _COMMITTED if current.state in _BEGUN and current.kind in _UNITS else ""
        return tuple(line for line in (partly, *ways, "" if is_rollback else _ANEW) if line and line not in _UNITS.values())
    return _if_you_stop(content, timeline, current, is_rollback=is_rollback)


def _counted(rows: Sequence[_Row], timeline: Sequence[_Row]) -> str:
    if len(rows) == len(timeline) > 1:
        return "All steps are"
    return f"{len(rows)} of {plural(len(timeline), 'step')} {'is' if len(rows) == 1 else 'are'}"


def _if_you_stop(content: Plan, timeline: Sequence[_Row], current: _Row, *, is_rollback: bool) -> tuple[str, ...]:
    done = [row for row in timeline if row.state in (StepState.SUCCEEDED, StepState.ROLLED_BACK)]
    said = []
    if current.state in (StepState.RUNNING, StepState.WAITING) and current.kind in _UNITS:
        said.append(_UNITS[current.kind])
    if done:
        word = "undone" if is_rollback else "done"
        stay = "stays" if len(done) == 1 else "stay"
        end = "" if len(done) == len(timeline) else f", up to “{done[-1].title}”, and {stay} so"
        said.append(f"{_counted(done, timeline)} {word}{end}.")
    elif not said:
        said.append("Nothing was changed on the target yet.")
    if current.state not in (StepState.SUCCEEDED, StepState.ROLLED_BACK):
        said.append(f"{_RESUMING} “{current.title}”.")
    if done and not is_rollback:
        said.append(_BACK[_worst(content, [row.step_id for row in done])])
    return tuple(said)


def _worst(content: Plan, step_ids: Sequence[str]) -> Grade:
    grades = [step.rollback.grade for step in content.steps() if step.id in step_ids and step.rollback is not None]
    return max(grades, key=_GRADES.index, default="lossless")
