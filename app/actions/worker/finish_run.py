"""What follows the last step: the result compared with what was planned, or the forward run told that it was undone."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.worker.desk import Desk, target_dsn
from app.actions.worker.measure import begin_watch
from app.catalog.encoding import schema_from_json
from app.catalog.records import Schema
from app.plan.model import Plan
from app.run.events import VerificationFinished
from app.run.states import Move, RunState, StepState
from app.steps.protocol import run_label
from app.store.journal import StoredJournal
from app.store.runs import CHANGING, get, locked, mark_undone, move_run, steps
from app.store.tables.plans import PlanRevision, Rehearsal
from app.store.tables.runs import Run, RunStep
from app.store.tables.snapshots import Verification
from app.store.tables.targets import SchemaSnapshot
from app.store.words import JobState, VerificationState
from app.target.session import Target as TargetSession
from app.verification.verify import verify


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Whether the result is as planned, in a sentence where it is not or not all of it could be told."""

    passed: bool
    reason: str | None = None


def verify_run(desk: Desk, run_id: int, journal: StoredJournal) -> Verified:
    """Compare the target with what the plan promises and the rehearsal saw; keep the report and begin the watch.

    Raises TargetError where the target does not answer.
    """
    with desk.sessions() as session:
        run = get(session, run_id)
        dsn = target_dsn(session, desk.settings, run.target_id)
        plan = Plan.from_json(session.get_one(PlanRevision, run.revision_id).document)
        expected, before = _rehearsed_schema(session, run), _schema_before(session, run)
        skipped = frozenset(_steps_in(session, run_id, StepState.SKIPPED))
        kept = {step.step_id: step.result for step in steps(session, run_id) if step.result}
    with TargetSession.connect(dsn, purpose=f"verifies run {run_id}") as target:
        report = verify(
            target.connection,
            plan=plan,
            # a skipped step makes the rehearsed schema the wrong yardstick
            expected_schema=None if skipped else expected,
            before=before,
            skipped=skipped,
            kept=kept,
            run_label=run_label(run.id, run.key),
        )
    with desk.sessions.begin() as session:
        state = VerificationState(report.state)
        session.add(Verification(run_id=run_id, state=state, report=report.as_json(), created_at=desk.clock.now()))
    counts = {word: report.count(word) for word in ("passed", "failed", "unknown")}
    journal.record(VerificationFinished(**counts))
    if report.state == "failed":
        return Verified(passed=False, reason=f"The result is not what was planned: {report.sentence()}")
    begin_watch(desk, run_id)
    if report.state == "passed":
        return Verified(passed=True)
    untold = "one thing" if counts["unknown"] == 1 else f"{counts['unknown']} things"
    reason = f"What could be told of the result is as planned, {untold} could not; figures are watched for a week."
    return Verified(passed=True, reason=reason)


def finish_rollback(desk: Desk, run_id: int) -> None:
    """Tell the forward run that its rollback is done, and which of its steps are undone."""
    with desk.sessions.begin() as session:
        run = get(session, run_id)
        if run.forward_run_id is None:
            return
        forward = locked(session, run.forward_run_id)
        undone = mark_undone(session, forward.id, run_id)
        if forward.state is not RunState.ROLLING_BACK:
            return
        left = [step for step in steps(session, forward.id) if step.state is StepState.SUCCEEDED and step.kind in CHANGING]
        reason = f"Undone by run {run_id}." if not left else f"Run {run_id} undid {', '.join(undone)}; the other steps stay."
        move_run(session, forward.id, seen=forward.state, move=Move.ROLL_BACK_DONE, now=desk.clock.now(), reason=reason)


def _rehearsed_schema(session: Session, run: Run) -> Schema | None:
    row = session.scalar(
        select(Rehearsal)
        .where(
            Rehearsal.revision_id == run.revision_id,
            Rehearsal.target_id == run.target_id,
            Rehearsal.state == JobState.DONE,
            Rehearsal.ok.is_(True),
        )
        .order_by(Rehearsal.id.desc())
        .limit(1)
    )
    content: dict[str, Any] | None = (row.result or {}).get("schema_after") if row else None
    return schema_from_json(content) if content else None


def _schema_before(session: Session, run: Run) -> Schema | None:
    """The target's schema as it was read just before the first change."""
    content = session.scalar(
        select(SchemaSnapshot.content)
        .where(SchemaSnapshot.target_id == run.target_id, SchemaSnapshot.taken_at <= (run.started_at or run.created_at))
        .order_by(SchemaSnapshot.id.desc())
        .limit(1)
    )
    return schema_from_json(content) if content else None


def _steps_in(session: Session, run_id: int, state: StepState) -> list[str]:
    rows = select(RunStep.step_id).where(RunStep.run_id == run_id, RunStep.state == state).order_by(RunStep.position)
    return list(session.scalars(rows))
