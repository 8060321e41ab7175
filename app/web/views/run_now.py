"""The step in the middle of a run's page: what it does, how far it is, what it says to the database, what stopping would mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.plan.backfills import as_statement
from app.plan.model import Plan as Content
from app.plan.model import Step
from app.run.states import DRIVEN, RunState, StepState
from app.steps.registry import kind_of
from app.store.tables import Run, RunGauge, RunStep
from app.store.words import Direction
from app.web.formats import span
from app.web.views.run_rates import RateChart, rate_chart
from app.web.views.run_timeline import TimelineRow
from app.web.views.signals import Signal, signals_of
from app.web.views.stopping import how_it_stands

_MANY_MINUTES = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """The step in the middle of the page."""

    step: Step
    row: TimelineRow
    sentence: str
    gauge: Mapping[str, Any]
    #: "5 m 12 s to 6 m", or "" where nothing honest can be said
    left: str
    #: about when it ends: "14:16"
    ends: str
    #: what is written there, for SQL steps and backfills
    statement: str
    #: True where the statement is on the server at this moment
    is_sent: bool
    signals: tuple[Signal, ...]
    #: what is true if the run stops at this moment, or since it ended
    if_you_stop: tuple[str, ...]
    error: Mapping[str, Any] | None
    rates: RateChart | None
    #: False for an open gate, whose own card says it all
    has_card: bool
    #: the step that comes after it, "" where it is the last one
    next_title: str


def now_of(session: Session, run: Run, content: Content, timeline: Sequence[TimelineRow], steps: Sequence[RunStep]) -> Now | None:
    """The current step; None for a run without steps."""
    row = next((row for row in timeline if row.is_current), None)
    if row is None:
        return None
    step = content.step(row.step_id)
    gauge = _fresh(session.get(RunGauge, run.id), run, row)
    left, ends = _left(gauge)
    return Now(
        step=step,
        row=row,
        sentence=_sentence(run, step),
        gauge=gauge,
        left=left,
        ends=ends,
        statement=_written(run, step) if step.kind == "backfill" else str(gauge.get("statement") or _written(run, step)),
        is_sent=bool(gauge.get("pid")),
        signals=signals_of(gauge),
        if_you_stop=how_it_stands(content, timeline, row, state=run.state, is_rollback=run.direction is Direction.ROLLBACK),
        error=next((found.error for found in steps if found.step_id == row.step_id), None),
        rates=_rates(session, run, row),
        has_card=not (row.kind == "gate" and row.state is StepState.WAITING),
        next_title=next((later.title for later in timeline if later.position == row.position + 1), ""),
    )


def _fresh(gauge: RunGauge | None, run: Run, row: TimelineRow) -> Mapping[str, Any]:
    """The gauge where it is about this step and the step is still at work; figures of another one would be lies."""
    is_at_work = run.state in DRIVEN and row.state in (StepState.RUNNING, StepState.WAITING)
    if gauge is None or gauge.payload.get("step") != row.step_id:
        return {}
    # paused in the middle of a backfill: how far it came stays true, who waits for whom does not
    kept = ("step", "fraction", "rows_done", "rows_total", "batch_rows", "batch_ms", "throttled_seconds")
    return gauge.payload if is_at_work else {name: gauge.payload[name] for name in kept if name in gauge.payload}


def _left(gauge: Mapping[str, Any]) -> tuple[str, str]:
    eta = gauge.get("eta_seconds")
    if not eta:
        return "", ""
    low, high = float(eta[0]), float(eta[1])
    ends = (datetime.now(UTC) + timedelta(seconds=(low + high) / 2)).strftime("%H:%M")
    low, high = (_coarse(seconds) for seconds in (low, high))
    return span(low) if span(low) == span(high) else f"{span(low)} to {span(high)}", ends


def _coarse(seconds: float) -> float:
    """An estimate of many minutes is not known to the second."""
    return seconds if seconds < _MANY_MINUTES else max(60.0, seconds // 60 * 60)


def _rates(session: Session, run: Run, row: TimelineRow) -> RateChart | None:
    if row.kind != "backfill" or run.direction is Direction.ROLLBACK:
        return None
    is_moving = run.state is RunState.RUNNING and row.finished_at is None
    end = None if is_moving else row.finished_at or run.state_since
    return rate_chart(session, run.id, row.step_id, start=row.started_at, end=end, now=datetime.now(UTC))


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
        return as_statement(spec)
    return str(spec.get("sql") or spec.get("query") or spec.get("statement") or "")
