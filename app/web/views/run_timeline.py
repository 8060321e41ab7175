"""Every step of a run as its timeline draws it, also those not reached; what happened in each is folded out of the events."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.plan.model import Plan as Content
from app.run.events import Event, decode
from app.run.states import RunState, StepState
from app.store.tables import Run, RunStep
from app.store.tables.events import RunEvent
from app.store.words import Direction
from app.web.formats import count, plural, size

_RETRIES = ("lock_not_granted", "attempt_failed", "queue_yielded")
_SENTENCES: Mapping[str, Callable[[Any], str]] = {
    "backfill_finished": lambda e: f"{count(e.rows_changed)} rows, {plural(e.batches, 'batch', 'batches')}",
    "backup_finished": lambda e: size(e.size_bytes),
    "check_passed": lambda e: f"found {e.found}",
    "gate_opened": lambda e: f"opened by {e.by}",
    "hook_called": lambda e: f"answered {e.status}",
    "unit_found_done": lambda _: "told by the ledger",
    "unit_reconciled": lambda _: "told by the ledger",
}
_REACHED = (StepState.RUNNING, StepState.WAITING, StepState.FAILED)
#: states of a run in which nothing moves, though a step may be in its middle
_RESTING = (RunState.PAUSED, RunState.WAITING_TARGET, RunState.CANCELLED, RunState.FAILED)
#: so many steps stand there whole; of a longer plan those far from the current one are folded away
WHOLE, BEFORE, AFTER = 30, 5, 15


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """One step of the timeline, also one that is not reached."""

    step_id: str
    position: int
    title: str
    kind: str
    phase: str
    #: True where a new phase begins
    opens_phase: bool
    state: StepState
    #: which tone it has: its own, or that of a run that holds it in the middle ("run", "paused")
    tone: tuple[str, str]
    #: True for the step that the page is about
    is_current: bool
    #: True where the run stands at it: it is under way, failed, or next
    is_here: bool
    attempts: int
    seconds: float | None
    #: what came of it, in few words: "300,000 rows", "2 tries again"
    detail: str
    #: the step's own error, or ""
    problem: str
    #: from here on there is no lossless way back
    is_point_of_no_return: bool
    grade: str
    started_at: datetime | None
    finished_at: datetime | None


def timeline_of(session: Session, run: Run, content: Content, steps: Sequence[RunStep]) -> tuple[TimelineRow, ...]:
    """The rows in the order in which the run works."""
    by_id = {step.id: step for step in content.steps()}
    details = step_details(_events(session, run.id), _retries(session, run.id))
    current = _current(run, steps)
    rows: list[TimelineRow] = []
    passed = False
    for row in steps:
        step = by_id.get(row.step_id)
        grade = step.rollback.grade if step and step.rollback else ""
        no_return = grade == "irreversible" and not passed and run.direction is Direction.FORWARD
        passed = passed or no_return
        rows.append(
            TimelineRow(
                step_id=row.step_id,
                position=row.position,
                title=row.title,
                kind=row.kind,
                phase=row.phase,
                opens_phase=not rows or rows[-1].phase != row.phase,
                state=row.state,
                tone=_tone(run, row),
                is_current=row.step_id == current,
                is_here=row.step_id == current and row.state in (*_REACHED, StepState.PENDING),
                attempts=row.attempts,
                seconds=_seconds(row),
                detail=details.get(row.step_id, ""),
                problem=str((row.error or {}).get("message", "")),
                is_point_of_no_return=no_return,
                grade=grade,
                started_at=row.started_at,
                finished_at=row.finished_at,
            )
        )
    return tuple(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A timeline in three parts: what is folded away before the current step, what is shown, what is folded away after it."""

    before: tuple[TimelineRow, ...]
    shown: tuple[TimelineRow, ...]
    after: tuple[TimelineRow, ...]


def near(rows: Sequence[TimelineRow]) -> Near:
    """The part of a timeline that is shown; a plan of up to thirty steps is shown whole."""
    at = next((number for number, row in enumerate(rows) if row.is_current), 0)
    if len(rows) <= WHOLE:
        return Near(before=(), shown=tuple(rows), after=())
    first, last = max(0, at - BEFORE), min(len(rows), at + AFTER)
    return Near(before=tuple(rows[:first]), shown=tuple(rows[first:last]), after=tuple(rows[last:]))


def step_details(events: Iterable[Event], retries: Mapping[str, int]) -> Mapping[str, str]:
    """Step id -> what is worth knowing of it in few words; ``retries`` counts by step how often a unit was tried again."""
    said: dict[str, dict[str, str]] = {}
    for event in events:
        known: Any = event
        # the last word of each kind counts: a step may have been tried again
        said.setdefault(known.step, {})[event.type()] = _SENTENCES[event.type()](known)
    steps = dict.fromkeys((*said, *retries))
    tries = {step: plural(number, "try again", "tries again") for step, number in retries.items()}
    return {step: " · ".join([*said.get(step, {}).values(), *([tries[step]] if step in tries else [])]) for step in steps}


def _events(session: Session, run_id: int) -> list[Event]:
    rows = session.execute(
        select(RunEvent.type, RunEvent.payload)
        .where(RunEvent.run_id == run_id, RunEvent.type.in_(_SENTENCES))
        .order_by(RunEvent.number)
    )
    return [decode(name, payload) for name, payload in rows]


def _retries(session: Session, run_id: int) -> dict[str, int]:
    """Counted by the database: a run that waited for locks all night has thousands."""
    step = RunEvent.payload["step"].astext
    rows = session.execute(
        select(step, func.count()).where(RunEvent.run_id == run_id, RunEvent.type.in_(_RETRIES)).group_by(step)
    )
    return {str(name): number for name, number in rows}


def _current(run: Run, steps: Sequence[RunStep]) -> str | None:
    """The step that the page is about: the one that runs, waits or failed, else the next one to do, else the last."""
    for states in (_REACHED, (StepState.PENDING,)):
        for row in steps:
            if row.state in states:
                return row.step_id
    return run.current_step or (steps[-1].step_id if steps else None)


def _tone(run: Run, row: RunStep) -> tuple[str, str]:
    """A step that was begun stays "running" while its run rests: the page must not say that it moves."""
    is_held = row.state is StepState.RUNNING and run.state in _RESTING
    return ("run", run.state.value) if is_held else ("step", row.state.value)


def _seconds(row: RunStep) -> float | None:
    return (row.finished_at - row.started_at).total_seconds() if row.started_at and row.finished_at else None
