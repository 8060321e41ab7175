"""One run as its page shows it: header, timeline, the current step, signals, and the newest lines of its log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.actions.permissions import Permission
from app.actions.work import Actor, Work
from app.errors import NotFoundError
from app.plan.model import Plan as Content
from app.plan.model import Step
from app.run.events import EVENTS, decode
from app.run.states import DRIVEN, RunState, StepState
from app.steps.registry import kind_of
from app.store.events import events_since, newest_events
from app.store.tables import Environment, Person, Plan, PlanRevision, Project, Run, RunGauge, RunStep, Target
from app.store.tables.events import RunEvent
from app.store.words import Direction
from app.web.views.run_buttons import Button, buttons
from app.web.views.run_events import EventLine, event_line
from app.web.views.stopping import if_you_stop
from app.web.views.visible import in_sight

LINES_SHOWN = 60
LOG_PAGE = 200


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
    is_current: bool
    attempts: int
    seconds: float | None
    #: the step's own error, or ""
    problem: str
    #: from here on there is no lossless way back
    is_point_of_no_return: bool
    grade: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A figure with the limit at which Headgate slows down or stops."""

    name: str
    value: float | None
    limit: float | None
    unit: str
    #: ok, slowing, stopping, unknown
    state: str

    @property
    def percent(self) -> float:
        """Of the limit, 0 where either is unknown."""
        return 100 * self.value / self.limit if self.value is not None and self.limit else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """The step in the middle of the page."""

    step: Step
    row: TimelineRow
    sentence: str
    gauge: Mapping[str, Any]
    #: what is written there, for SQL steps and backfills
    statement: str
    signals: tuple[Signal, ...]
    #: what is true if the run stops at this moment
    if_you_stop: tuple[str, ...]
    error: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Everything about one run."""

    run: Run
    plan_id: int
    plan: str
    revision: int
    digest: str
    project: str
    project_id: int
    target: str
    target_id: int
    server_version: str | None
    environment: str
    is_production: bool
    by: str
    is_rollback: bool
    timeline: tuple[TimelineRow, ...]
    steps_done: int
    now: Now | None
    lines: tuple[EventLine, ...]
    #: the number of the newest line
    number: int
    is_live: bool


def load_run(session: Session, run_id: int) -> RunPage:
    """The run's page; Raises NotFoundError."""
    row = session.execute(
        select(Run, Plan, PlanRevision, Target, Environment, Project.name, Person.name)
        .join(Plan, Plan.id == Run.plan_id)
        .join(PlanRevision, PlanRevision.id == Run.revision_id)
        .join(Target, Target.id == Run.target_id)
        .join(Environment, Environment.id == Target.environment_id)
        .join(Project, Project.id == Target.project_id)
        .join(Person, Person.id == Run.created_by)
        .where(Run.id == run_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such run, or it belongs to a project you are not a member of.")
    run, plan, revision, target, environment, project, person = row
    content = Content.from_json(revision.document)
    steps = list(session.scalars(select(RunStep).where(RunStep.run_id == run_id).order_by(RunStep.position)))
    timeline = _timeline(run, content, steps)
    gauge = session.get(RunGauge, run_id)
    lines = tuple(event_line(*numbered) for numbered in reversed(newest_events(session, run_id, limit=LINES_SHOWN)))
    return RunPage(
        run=run,
        plan_id=plan.id,
        plan=plan.name,
        revision=revision.number,
        digest=revision.digest,
        project=project,
        project_id=target.project_id,
        target=target.name,
        target_id=target.id,
        server_version=target.server_version,
        environment=environment.name,
        is_production=environment.is_production,
        by=person,
        is_rollback=run.direction is Direction.ROLLBACK,
        timeline=timeline,
        steps_done=sum(row.state in (StepState.SUCCEEDED, StepState.SKIPPED, StepState.ROLLED_BACK) for row in timeline),
        now=_now(run, content, timeline, steps, gauge.payload if gauge else {}),
        lines=lines,
        number=run.event_number,
        is_live=run.state in DRIVEN or run.state is RunState.WAITING_GATE,
    )


def run_page(work: Work, run_id: int) -> RunPage:
    """The run's page for somebody who may see it; Raises NotFoundError."""
    page = load_run(work.session, run_id)
    work.actor.require(page.project_id, Permission.VIEW)
    return page


def run_buttons(actor: Actor, page: RunPage) -> tuple[Button, ...]:
    """What this person may do with the run now."""
    return buttons(page.run.state, actor, page.project_id, is_rollback=page.is_rollback)


def lines_after(session: Session, run_id: int, number: int) -> list[EventLine]:
    """The log's lines after a number, oldest first."""
    return [event_line(*numbered) for numbered in events_since(session, run_id, number)]


def plans_in_sight(actor: Actor) -> ColumnElement[bool]:
    """True for runs of plans that the actor may see."""
    return Run.plan_id.in_(select(Plan.id).where(in_sight(actor, Plan.project_id)))


def log_page(session: Session, run_id: int, number: int, group: str) -> tuple[list[EventLine], bool]:
    """One page of the log, the newest first, of one group of events or of all; and whether older ones follow."""
    types = [name for name, event in EVENTS.items() if not group or event.group == group]
    rows = session.scalars(
        select(RunEvent)
        .where(RunEvent.run_id == run_id, RunEvent.type.in_(types))
        .order_by(RunEvent.number.desc())
        .limit(LOG_PAGE + 1)
        .offset((number - 1) * LOG_PAGE)
    ).all()
    return [event_line(row.number, row.at, decode(row.type, row.payload)) for row in rows[:LOG_PAGE]], len(rows) > LOG_PAGE


def _timeline(run: Run, content: Content, steps: Sequence[RunStep]) -> tuple[TimelineRow, ...]:
    by_id = {step.id: step for step in content.steps()}
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
                is_current=row.step_id == current,
                attempts=row.attempts,
                seconds=_seconds(row.started_at, row.finished_at),
                problem=str((row.error or {}).get("message", "")),
                is_point_of_no_return=no_return,
                grade=grade,
            )
        )
    return tuple(rows)


def _current(run: Run, steps: Sequence[RunStep]) -> str | None:
    """The step that the page is about: the one that runs, waits or failed, else the next one to do, else the last."""
    for states in ((StepState.RUNNING, StepState.WAITING, StepState.FAILED), (StepState.PENDING,)):
        for row in steps:
            if row.state in states:
                return row.step_id
    return run.current_step or (steps[-1].step_id if steps else None)


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None


def _now(
    run: Run, content: Content, timeline: Sequence[TimelineRow], steps: Sequence[RunStep], gauge: Mapping[str, Any]
) -> Now | None:
    row = next((row for row in timeline if row.is_current), None)
    if row is None:
        return None
    step = content.step(row.step_id)
    fresh = gauge if gauge.get("step") == row.step_id and run.state is not RunState.FAILED else {}
    return Now(
        step=step,
        row=row,
        sentence=_sentence(run, step),
        gauge=fresh,
        statement=str(fresh.get("statement") or _written(run, step)),
        signals=tuple(_signals(fresh)),
        if_you_stop=if_you_stop(content, timeline, row, is_rollback=run.direction is Direction.ROLLBACK),
        error=next((found.error for found in steps if found.step_id == row.step_id), None),
    )


def _sentence(run: Run, step: Step) -> str:
    if run.direction is Direction.ROLLBACK:
        return (
            "Runs the step's rollback SQL, in units of its own."
            if step.rollback and step.rollback.sql
            else "Nothing to undo on the target."
        )
    return kind_of(step.kind).describe(step)


def _written(run: Run, step: Step) -> str:
    if run.direction is Direction.ROLLBACK:
        return (step.rollback.sql or "") if step.rollback else ""
    spec = step.spec
    if step.kind == "backfill":
        lines = (f"UPDATE {spec.get('table')}", f"   SET {spec.get('set')}", f" WHERE {spec.get('where', 'true')}")
        return "\n".join(lines)  # shown to people, sent to nobody
    return str(spec.get("sql") or spec.get("query") or spec.get("statement") or "")


def _signals(gauge: Mapping[str, Any]) -> list[Signal]:
    return [
        Signal(
            name=name,
            value=found.get("value"),
            limit=found.get("limit"),
            unit=str(found.get("unit", "")),
            state=str(found.get("state", "unknown")),
        )
        for name, found in dict(gauge.get("signals", {})).items()
    ]
