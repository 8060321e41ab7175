"""Judges a revision against the target as it is now, and keeps the report with the snapshot that it was judged by."""

from app.actions.worker.check_target import keep_snapshot, look
from app.actions.worker.desk import Desk, Report, target_dsn
from app.analysis.analyse import analyse_plan
from app.analysis.basis import Basis
from app.analysis.registry import RULES_VERSION
from app.catalog.encoding import statistics_from_json
from app.catalog.records import Statistics
from app.catalog.statistics import with_rates
from app.errors import HeadgateError
from app.plan.model import Plan
from app.store.tables.plans import Analysis, PlanRevision
from app.store.targets import get, newest_snapshot, policy_of
from app.store.words import JobState

#: two looks that are nearer tell nothing about how busy a table is
LEAST_WINDOW_SECONDS = 60


def analyse(desk: Desk, analysis_id: int, report: Report) -> None:
    """Do one analysis; its row tells the result or the error."""
    with desk.sessions.begin() as session:
        row = session.get_one(Analysis, analysis_id)
        row.state = JobState.RUNNING
        plan = Plan.from_json(session.get_one(PlanRevision, row.revision_id).document)
        target_id = row.target_id
        dsn = target_dsn(session, desk.settings, target_id) if target_id else None
        policy = policy_of(session, get(session, target_id)) if target_id else None
    try:
        report({"text": "Reading the target's catalog" if dsn else "Reading the plan"})
        schema, statistics = look(dsn) if dsn else (None, None)
        if statistics and target_id:
            statistics = _with_traffic(desk, target_id, statistics)
        report({"text": "Judging every statement"})
        basis = Basis(schema=schema, statistics=statistics, lock_timeout_ms=float(policy.lock_timeout_ms) if policy else None)
        judged = analyse_plan(plan, basis=basis)
    except HeadgateError as error:
        with desk.sessions.begin() as session:
            row = session.get_one(Analysis, analysis_id)
            row.state, row.error, row.finished_at = JobState.FAILED, error.as_json(), desk.clock.now()
        raise
    with desk.sessions.begin() as session:
        row = session.get_one(Analysis, analysis_id)
        if target_id and schema and statistics:
            row.snapshot_id = keep_snapshot(session, desk, target_id, schema, statistics).id
        row.state, row.report, row.error = JobState.DONE, judged.as_json(), None
        row.rules_version, row.finished_at = RULES_VERSION, desk.clock.now()


def _with_traffic(desk: Desk, target_id: int, statistics: Statistics) -> Statistics:
    """The sizes with the traffic since the last look at the target, where that was long enough ago."""
    with desk.sessions() as session:
        last = newest_snapshot(session, target_id)
    if last is None or last.statistics is None:
        return statistics
    seconds = (desk.clock.now() - last.taken_at).total_seconds()
    return (
        with_rates(statistics_from_json(last.statistics), statistics, seconds) if seconds >= LEAST_WINDOW_SECONDS else statistics
    )
