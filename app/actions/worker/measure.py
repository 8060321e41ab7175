"""The watch of a run: figures before it, right after it, and at the hours of its windows."""

import logging
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.actions.worker.desk import Desk, Report, target_dsn
from app.actions.worker.judge import judge_looks
from app.errors import HeadgateError
from app.monitoring.integrity import read_integrity
from app.monitoring.snapshot import take_snapshot
from app.monitoring.windows import BEFORE, due
from app.run.events import SnapshotTaken
from app.run.states import RunState
from app.store import snapshots
from app.store.events import append_event
from app.store.runs import get
from app.store.tables.plans import Analysis
from app.store.tables.runs import Run
from app.store.words import Direction, JobState, Window
from app.target.session import Target as TargetSession

logger = logging.getLogger("headgate.watch")

#: First key of the advisory lock under which one worker at a time measures a run.
MEASURE_NAMESPACE = 0x48474D45  # "HGME"
#: each question about orphaned rows gives up after so long: the watch must not become the load
_QUESTION_MS = 5_000


def measure_before(desk: Desk, run_id: int) -> None:
    """Keep the figures that everything is compared with; a target that hides them costs the comparison, not the run."""
    with desk.sessions() as session:
        if snapshots.newest_metrics(session, run_id, Window.BEFORE) is not None:
            return
    try:
        _measure(desk, run_id, Window(BEFORE))
    except HeadgateError as error:
        logger.warning("No figures before run %s: %s", run_id, error.message)


def begin_watch(desk: Desk, run_id: int) -> None:
    """Take the first figures right after the run, so that its page shows a comparison at once."""
    try:
        _measure(desk, run_id, Window.NOW)
    except HeadgateError as error:
        logger.warning("No figures after run %s: %s", run_id, error.message)


def measure_now(desk: Desk, run_id: int, report: Report) -> None:
    """Take the figures of a run because somebody asked; Raises TargetError."""
    report({"text": "Reading pg_stat views"})
    _measure(desk, run_id, Window.NOW)


def measure_due(desk: Desk, run_id: int | None = None) -> None:
    """Take the figures that are due, of one run or of every run that is watched."""
    watched = select(Run.id).where(Run.state == RunState.MONITORING, Run.direction == Direction.FORWARD)
    with desk.sessions() as session:
        ids = list(session.scalars(watched if run_id is None else watched.where(Run.id == run_id)))
    for found in ids:
        try:
            _measure_if_due(desk, found)
        except HeadgateError as error:
            logger.warning("The figures of run %s were not taken: %s", found, error.message)


def _measure_if_due(desk: Desk, run_id: int) -> None:
    with desk.sessions.begin() as session:
        # two schedulers may come at once: one measures, the other finds it measured
        if not session.scalar(select(func.pg_try_advisory_xact_lock(MEASURE_NAMESPACE, run_id))):
            return
        run = get(session, run_id)
        if run.finished_at is None:
            return
        taken = [(row.window.value, row.taken_at) for row in snapshots.metrics(session, run_id)]
        window = due(run.finished_at, taken, desk.clock.now())
        if window is not None:
            _measure(desk, run_id, Window(window))


def _measure(desk: Desk, run_id: int, window: Window) -> None:
    with desk.sessions() as session:
        run = get(session, run_id)
        dsn, target_id = target_dsn(session, desk.settings, run.target_id), run.target_id
        relations = _relations(session, run)
    with TargetSession.connect(dsn, purpose=f"watches run {run_id}", allow_standby=True, statement_timeout_ms=30_000) as target:
        found = take_snapshot(target.connection, relations)
        is_before = window is Window.BEFORE
        integrity = None if is_before else read_integrity(target.connection, relations, timeout_ms=_QUESTION_MS)
    with desk.sessions.begin() as session:
        now = desk.clock.now()
        kept = snapshots.keep_metrics(
            session, run_id=run_id, target_id=target_id, window=window, content=found.as_json(), verdict=None, now=now
        )
        if not is_before:
            watch = judge_looks(session, get(session, run_id), newest=kept, integrity=integrity, now=now)
            state = watch.verdict.state if watch.verdict else "unknown"
            append_event(session, run_id, SnapshotTaken(window=window.value, verdict=state), at=now)


def _relations(session: Session, run: Run) -> Sequence[str]:
    """The tables that the plan changes or makes, as its analysis found them; none without one."""
    report = session.scalar(
        select(Analysis.report)
        .where(Analysis.revision_id == run.revision_id, Analysis.target_id == run.target_id, Analysis.state == JobState.DONE)
        .order_by(Analysis.id.desc())
        .limit(1)
    )
    tables = (report or {}).get("tables", {})
    return sorted({*tables.get("modified", ()), *tables.get("new", ())})
