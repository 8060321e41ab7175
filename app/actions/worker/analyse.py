"""Judges a revision against the target as it is now, and keeps the report with the snapshot that it was judged by."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.actions.worker.check_target import keep_snapshot
from app.actions.worker.desk import Desk, Report, target_dsn
from app.analysis.analyse import analyse_plan
from app.analysis.basis import Basis
from app.analysis.calibration import learn, score
from app.analysis.registry import RULES_VERSION
from app.assessment.ask_rows import Asking
from app.assessment.ask_squawk import ask_squawk
from app.assessment.assess import Assessment, assess
from app.catalog.encoding import statistics_from_json
from app.catalog.records import Statistics
from app.catalog.statistics import with_rates
from app.errors import HeadgateError
from app.plan.model import Plan
from app.review.policy import EnvironmentPolicy
from app.store import estimates
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
        policy = policy_of(session, get(session, target_id)) if target_id else EnvironmentPolicy()
        basis = _basis(session, target_id, policy)
    assessed: Assessment | None = None
    try:
        if dsn and target_id:
            assessed = _Look(desk=desk, plan=plan, target_id=target_id, policy=policy).assess(dsn, basis, report)
        analysis = assessed.analysis if assessed else analyse_plan(plan, basis=basis)
        second = ask_squawk(analysis)
    except HeadgateError as error:
        with desk.sessions.begin() as session:
            row = session.get_one(Analysis, analysis_id)
            row.state, row.error, row.finished_at = JobState.FAILED, error.as_json(), desk.clock.now()
        raise
    with desk.sessions.begin() as session:
        row = session.get_one(Analysis, analysis_id)
        if target_id and assessed:
            row.snapshot_id = keep_snapshot(session, desk, target_id, assessed.schema, assessed.statistics).id
        row.state, row.report, row.error = JobState.DONE, analysis.as_json(), None
        seen = assessed.details() if assessed else {}
        row.details = {**seen, "second_opinion": second.as_json()}
        row.rules_version, row.finished_at = _rules_version(policy), desk.clock.now()


def _basis(session: Session, target_id: int | None, policy: EnvironmentPolicy) -> Basis:
    """What is known before the target is looked at: its history and its policy."""
    if target_id is None:
        return Basis()
    history = estimates.outcomes(session, target_id)
    return Basis(
        rates=learn(history),
        estimates=score(history),
        lock_timeout_ms=float(policy.lock_timeout_ms),
        severities=policy.severities,
    )


def _rules_version(policy: EnvironmentPolicy) -> str:
    """The rules with the levels that the policy gives them."""
    return f"{RULES_VERSION}-{policy.severities_digest}" if policy.severities_digest else RULES_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One look at a target for one plan."""

    desk: Desk
    plan: Plan
    target_id: int
    policy: EnvironmentPolicy

    def assess(self, dsn: str, basis: Basis, report: Report) -> Assessment:
        """Raises TargetError."""
        return assess(
            dsn,
            lambda known: analyse_plan(self.plan, basis=known),
            basis,
            asking=Asking(timeout_ms=self.policy.preflight_timeout_ms, shows_rows=self.policy.shows_rows),
            with_traffic=self._with_traffic,
            report=lambda text: report({"text": text}),
        )

    def _with_traffic(self, statistics: Statistics) -> Statistics:
        """The sizes with the traffic since the last look at the target, where that was long enough ago."""
        with self.desk.sessions() as session:
            last = newest_snapshot(session, self.target_id)
        if last is None or last.statistics is None:
            return statistics
        seconds = (self.desk.clock.now() - last.taken_at).total_seconds()
        if seconds < LEAST_WINDOW_SECONDS:
            return statistics
        return with_rates(statistics_from_json(last.statistics), statistics, seconds)
