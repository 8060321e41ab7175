"""Compares what a run's statements took with what its analysis predicted, so that the next estimates there are better."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.worker.desk import Desk
from app.analysis.report import Analysis, StatementReport
from app.analysis.work import together
from app.run.events import StatementFinished, decode
from app.store import estimates
from app.store.runs import get
from app.store.tables.events import RunEvent
from app.store.tables.plans import Analysis as AnalysisRow
from app.store.tables.runs import Run
from app.store.words import Direction, JobState


def score_run(desk: Desk, run_id: int) -> None:
    """Keep prediction and outcome of every statement of a forward run that has finished; may be asked again."""
    with desk.sessions.begin() as session:
        run = get(session, run_id)
        analysis = _analysis(session, run)
        if run.direction is Direction.FORWARD and analysis is not None:
            estimates.keep(session, _rows(session, run, analysis))


def _analysis(session: Session, run: Run) -> Analysis | None:
    """The analysis that the run was started under."""
    report = session.scalar(
        select(AnalysisRow.report)
        .where(
            AnalysisRow.revision_id == run.revision_id,
            AnalysisRow.target_id == run.target_id,
            AnalysisRow.state == JobState.DONE,
            AnalysisRow.created_at <= (run.started_at or run.created_at),
        )
        .order_by(AnalysisRow.id.desc())
        .limit(1)
    )
    return Analysis.from_json(report) if report and "statements" in report else None


def _rows(session: Session, run: Run, analysis: Analysis) -> Iterator[Mapping[str, Any]]:
    predicted = _by_place(analysis)
    events = session.scalars(
        select(RunEvent).where(RunEvent.run_id == run.id, RunEvent.type == StatementFinished.type()).order_by(RunEvent.number)
    )
    for event in events:
        finished = cast("StatementFinished", decode(event.type, event.payload))
        statement = predicted.get((finished.step, finished.index))
        if statement is None or statement.duration_ms is None:
            continue
        work, table_bytes = together(statement.work)
        low, expected, high = statement.duration_ms
        yield {
            "target_id": run.target_id,
            "run_id": run.id,
            "step_id": finished.step,
            "statement": finished.index,
            "command": statement.command,
            "relation": next((done.relation for done in statement.work), next(iter(statement.relations), "")),
            "work": work if statement.work else "metadata",
            "table_bytes": table_bytes,
            "low_ms": low,
            "expected_ms": expected,
            "high_ms": high,
            # what it waited for locks is no part of the work that was estimated
            "real_ms": finished.duration_ms - finished.waited_ms,
            "at": event.at,
        }


def _by_place(analysis: Analysis) -> dict[tuple[str, int], StatementReport]:
    """The statements by step and number in it."""
    numbers: dict[str, int] = {}
    found = {}
    for statement in analysis.statements:
        step = statement.step or ""
        numbers[step] = numbers.get(step, 0) + 1
        found[step, numbers[step]] = statement
    return found
