"""Runs as one line each: for the home page, lists, a plan, a target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.run.states import RunState, StepState
from app.store.tables import Environment, Person, Plan, Run, RunGauge, RunStep, Target
from app.store.words import Direction

_FINISHED_STEPS = (StepState.SUCCEEDED, StepState.SKIPPED, StepState.ROLLED_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One run as a list shows it."""

    id: int
    plan_id: int
    plan: str
    project_id: int
    target_id: int
    target: str
    environment: str
    is_production: bool
    state: RunState
    state_since: datetime
    reason: str
    is_rollback: bool
    by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    scheduled_for: datetime | None
    steps_done: int
    steps: int
    #: of the current step, 0 to 1, where the step can tell
    fraction: float | None
    eta: tuple[float, float] | None
    phase: str
    current_step: str | None

    @property
    def overall(self) -> float:
        """Finished steps and the part of the current one, 0 to 1."""
        return min(1.0, (self.steps_done + (self.fraction or 0.0)) / self.steps) if self.steps else 0.0


def run_lines(session: Session, *where: ColumnElement[bool], limit: int = 50, offset: int = 0) -> list[RunLine]:
    """The newest runs that fulfil every condition."""
    query = (
        select(Run, Plan.name, Plan.project_id, Target.name, Environment.name, Environment.is_production, Person.name)
        .join(Plan, Plan.id == Run.plan_id)
        .join(Target, Target.id == Run.target_id)
        .join(Environment, Environment.id == Target.environment_id)
        .join(Person, Person.id == Run.created_by)
        .where(*where)
        .order_by(Run.id.desc())
        .limit(limit)
        .offset(offset)
    )
    rows = session.execute(query).all()
    numbers = [row[0].id for row in rows]
    steps = _step_counts(session, numbers)
    gauges = _gauges(session, [row[0].id for row in rows if row[0].state not in (RunState.COMPLETED, RunState.CANCELLED)])
    return [_line(tuple(row), steps, gauges) for row in rows]


def _step_counts(session: Session, numbers: Sequence[int]) -> dict[int, tuple[int, int]]:
    if not numbers:
        return {}
    done = func.count().filter(RunStep.state.in_(_FINISHED_STEPS))
    rows = session.execute(select(RunStep.run_id, done, func.count()).where(RunStep.run_id.in_(numbers)).group_by(RunStep.run_id))
    return {run_id: (finished, total) for run_id, finished, total in rows}


def _gauges(session: Session, numbers: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    if not numbers:
        return {}
    return {gauge.run_id: gauge.payload for gauge in session.scalars(select(RunGauge).where(RunGauge.run_id.in_(numbers)))}


def _line(row: tuple[Any, ...], steps: Mapping[int, tuple[int, int]], gauges: Mapping[int, Mapping[str, Any]]) -> RunLine:
    run, plan, project_id, target, environment, is_production, person = row
    done, total = steps.get(run.id, (0, 0))
    gauge = gauges.get(run.id, {}) if run.state == RunState.RUNNING else {}
    eta = gauge.get("eta_seconds")
    return RunLine(
        id=run.id,
        plan_id=run.plan_id,
        plan=plan,
        project_id=project_id,
        target_id=run.target_id,
        target=target,
        environment=environment,
        is_production=is_production,
        state=run.state,
        state_since=run.state_since,
        reason=run.reason,
        is_rollback=run.direction == Direction.ROLLBACK,
        by=person,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        scheduled_for=run.scheduled_for,
        steps_done=done,
        steps=total,
        fraction=gauge.get("fraction"),
        eta=(eta[0], eta[1]) if eta else None,
        phase=gauge.get("phase", ""),
        current_step=run.current_step,
    )
