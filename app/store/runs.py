"""Runs: loaded, listed, and moved by compare-and-set, each move with its event."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.errors import MovedMeanwhileError, NotFoundError
from app.plan.model import Plan as Content
from app.run.events import Event, RunFinished, StateChanged
from app.run.states import ACTIVE, FINISHED, Move, RunState, StepState, transition
from app.store import jobs
from app.store.events import append_events
from app.store.tables.people import Person
from app.store.tables.plans import Plan, PlanRevision
from app.store.tables.runs import GateAnswer, Run, RunStep
from app.store.tables.targets import Environment, Target
from app.store.words import Direction, JobKind

#: kinds of step that change the target, and so can be undone
CHANGING = ("sql", "backfill")


class RunMovedMeanwhileError(MovedMeanwhileError):
    """The run is no longer in the state that your page showed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What a run is made of."""

    plan_id: int
    revision_id: int
    target_id: int
    created_by: int
    now: datetime
    direction: Direction = Direction.FORWARD
    forward_run_id: int | None = None
    scope: tuple[str, ...] | None = None
    scheduled_for: datetime | None = None
    options: dict[str, Any]
    catalog_fingerprint: str | None = None
    evidence_digest: str | None = None
    request_token: str | None = None


def get(session: Session, run_id: int) -> Run:
    """The run of that id.

    Raises NotFoundError.
    """
    run = session.get(Run, run_id)
    if run is None:
        raise NotFoundError("There is no such run.")
    return run


def locked(session: Session, run_id: int) -> Run:
    """The run of that id as it is now, its row held until the transaction ends.

    Raises NotFoundError.
    """
    run = session.scalar(
        select(Run).where(Run.id == run_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    if run is None:
        raise NotFoundError
    return run


def by_request_token(session: Session, token: str) -> Run | None:
    """The run that a form made."""
    return session.scalar(select(Run).where(Run.request_token == token))


def active_on(session: Session, target_id: int) -> Run | None:
    """The run that holds a target."""
    return session.scalar(select(Run).where(Run.target_id == target_id, Run.state.in_(ACTIVE)))


def takes_backup_now(session: Session, run: Run) -> bool:
    """True while the step at hand is a dump: the one kind of work that can't be left half-way."""
    if run.state is not RunState.RUNNING or run.current_step is None:
        return False
    step = session.get(RunStep, (run.id, run.current_step))
    return step is not None and step.kind == "backup" and step.state is StepState.RUNNING


def unfinished_on(session: Session, target_id: int) -> list[Run]:
    """Runs on a target that hold it, or whose result is still watched."""
    states = [*ACTIVE, RunState.MONITORING]
    return list(session.scalars(select(Run).where(Run.target_id == target_id, Run.state.in_(states)).order_by(Run.id)))


def holder_of(session: Session, target_id: int) -> tuple[Run, str, str | None] | None:
    """The run that holds a target, with the name of its plan and of the person who started it."""
    row = session.execute(
        select(Run, Plan.name, Person.name)
        .join(Plan, Plan.id == Run.plan_id)
        .outerjoin(Person, Person.id == Run.created_by)
        .where(Run.target_id == target_id, Run.state.in_(ACTIVE))
    ).first()
    return (row[0], row[1], row[2]) if row else None


def watched_of(session: Session, revision_id: int, target_id: int) -> Run | None:
    """The run that did this very revision on the target and is still being watched, or None."""
    done = (Run.revision_id == revision_id, Run.target_id == target_id, Run.direction == Direction.FORWARD)
    return session.scalar(select(Run).where(*done, Run.state == RunState.MONITORING).order_by(Run.id.desc()).limit(1))


def of_plan(session: Session, plan_id: int) -> list[Run]:
    """A plan's runs, the newest first."""
    return list(session.scalars(select(Run).where(Run.plan_id == plan_id).order_by(Run.id.desc())))


def rollbacks_of(session: Session, run_id: int) -> list[Run]:
    """The rollback runs of a forward run, the newest first."""
    return list(session.scalars(select(Run).where(Run.forward_run_id == run_id).order_by(Run.id.desc())))


def succeeded_before(session: Session, project_id: int, digest: str, position: int) -> tuple[Run, Environment] | None:
    """The newest forward run of that content that went well in an earlier environment of the project."""
    row = session.execute(
        select(Run, Environment)
        .join(PlanRevision, PlanRevision.id == Run.revision_id)
        .join(Target, Target.id == Run.target_id)
        .join(Environment, Environment.id == Target.environment_id)
        .where(
            Environment.project_id == project_id,
            Environment.position < position,
            PlanRevision.digest == digest,
            Run.direction == Direction.FORWARD,
            Run.state.in_([RunState.MONITORING, RunState.COMPLETED]),
        )
        .order_by(Environment.position.desc(), Run.id.desc())
        .limit(1)
    ).first()
    return (row[0], row[1]) if row else None


def steps(session: Session, run_id: int) -> list[RunStep]:
    """The run's steps in the order in which it works, as they are now."""
    return list(
        session.scalars(
            select(RunStep).where(RunStep.run_id == run_id).order_by(RunStep.position).execution_options(populate_existing=True)
        )
    )


def has_undone_steps(session: Session, run_id: int) -> bool:
    """True where a rollback undid steps of the run: going forward would go on behind them."""
    return any(step.state is StepState.ROLLED_BACK for step in steps(session, run_id))


def gate_answer(session: Session, run_id: int, step_id: str) -> GateAnswer | None:
    """The person's answer to a gate."""
    return session.get(GateAnswer, (run_id, step_id))


def add(session: Session, new: NewRun, content: Content) -> Run:
    """A new run with its steps; a rollback has the steps of its scope, the last one first.

    An IntegrityError says that the target is taken or that the same form made a run before.
    """
    run = Run(
        plan_id=new.plan_id,
        revision_id=new.revision_id,
        target_id=new.target_id,
        direction=new.direction,
        forward_run_id=new.forward_run_id,
        scope=None if new.scope is None else list(new.scope),
        state=RunState.SCHEDULED,
        state_since=new.now,
        created_by=new.created_by,
        driver_id=new.created_by,
        created_at=new.now,
        scheduled_for=new.scheduled_for,
        wake_at=new.scheduled_for,
        options=new.options,
        catalog_fingerprint=new.catalog_fingerprint,
        evidence_digest=new.evidence_digest,
        request_token=new.request_token,
    )
    session.add(run)
    session.flush()
    found = [step for step in content.steps() if new.scope is None or step.id in new.scope]
    for position, step in enumerate(found if new.direction is Direction.FORWARD else reversed(found), start=1):
        session.add(
            RunStep(
                run_id=run.id,
                step_id=step.id,
                position=position,
                kind=step.kind,
                title=step.title,
                phase=content.phase_of(step.id),
                state=StepState.PENDING,
            )
        )
    session.flush()
    return run


def move_run(
    session: Session,
    run_id: int,
    *,
    seen: RunState,
    move: Move,
    now: datetime,
    by: str = "",
    reason: str | None = None,
    also: Iterable[Event] = (),
    **values: Any,
) -> RunState:
    """Move a run by compare-and-set, with its event, events that come first in ``also``, and further column values.

    A run that lets go of its target after it began has the target's schema read again, asked for in the same transaction.

    Returns the new state. Raises IllegalMoveError where the table has no such move, RunMovedMeanwhileError where the run was no
    longer in the state that was seen.
    """
    row = transition(seen, move)
    said = reason or row.reason
    moved = session.execute(
        update(Run)
        .where(Run.id == run_id, Run.state == seen)
        .values(state=row.target, state_since=now, reason=said, **values)
        .returning(Run.started_at, Run.forward_run_id, Run.target_id)
    ).first()
    if moved is None:
        raise _moved_meanwhile(session, run_id, seen)
    events = [*also, StateChanged(source=seen.value, move=move.value, target=row.target.value, reason=said, by=by)]
    if row.target in FINISHED:
        seconds = (now - moved.started_at).total_seconds() if moved.started_at else 0.0
        session.execute(update(Run).where(Run.id == run_id).values(finished_at=func.coalesce(Run.finished_at, now)))
        events.append(RunFinished(state=row.target.value, seconds=round(seconds, 3), message=said))
    append_events(session, run_id, tuple(events), at=now)
    if moved.started_at and seen in ACTIVE and row.target not in ACTIVE | {RunState.ROLLING_BACK}:
        jobs.queue(session, JobKind.SNAPSHOT_SCHEMA, moved.target_id, requested_by=None, now=now)
    if row.target is RunState.CANCELLED and moved.forward_run_id is not None:
        _tell_forward(session, moved.forward_run_id, run_id, now)
    return row.target


def mark_undone(session: Session, forward_id: int, rollback_id: int) -> list[str]:
    """Call the forward run's steps rolled back that a rollback run has undone; their ids, in the order in which it worked."""
    undone = [step.step_id for step in steps(session, rollback_id) if step.state is StepState.ROLLED_BACK]
    session.execute(
        update(RunStep).where(RunStep.run_id == forward_id, RunStep.step_id.in_(undone)).values(state=StepState.ROLLED_BACK)
    )
    return undone


def _tell_forward(session: Session, forward_id: int, rollback_id: int, now: datetime) -> None:
    """The rollback ended before everything was undone: the forward run is in people's hands again."""
    forward = locked(session, forward_id)
    undone = mark_undone(session, forward_id, rollback_id)
    if forward.state is RunState.ROLLING_BACK:
        what = f"it undid {', '.join(undone)}" if undone else "it undid nothing"
        reason = f"Its rollback, run {rollback_id}, was cancelled: {what}."
        move_run(session, forward_id, seen=forward.state, move=Move.ROLL_BACK_STOPPED, now=now, reason=reason)


def _moved_meanwhile(session: Session, run_id: int, seen: RunState) -> RunMovedMeanwhileError:
    run = locked(session, run_id)
    return RunMovedMeanwhileError(
        f"Run {run_id} is {run.state.words} now; your page showed {seen.words}.",
        hint=run.reason or "Load the page again.",
    )
