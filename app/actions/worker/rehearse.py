"""Runs a revision on a shadow of its target and keeps what was seen."""

from app.actions.worker.check_target import keep_snapshot, look
from app.actions.worker.desk import Desk, Report, target_dsn
from app.catalog.fingerprint import fingerprint
from app.errors import HeadgateError
from app.plan.model import Plan
from app.rehearsal.rehearse import RehearsalOrder
from app.rehearsal.rehearse import rehearse as rehearse_plan
from app.rehearsal.report import Rehearsal as Rehearsed
from app.store.tables.plans import PlanRevision, Rehearsal
from app.store.tables.targets import Target
from app.store.targets import get, policy_of
from app.store.words import JobState


class NoShadowError(HeadgateError):
    """No server is configured on which rehearsals may create databases."""

    status = 503
    exit_code = 3


def rehearse(desk: Desk, rehearsal_id: int, report: Report) -> None:
    """Do one rehearsal; its row tells the result or the error."""
    with desk.sessions.begin() as session:
        row = session.get_one(Rehearsal, rehearsal_id)
        row.state = JobState.RUNNING
        plan = Plan.from_json(session.get_one(PlanRevision, row.revision_id).document)
        crash_test = row.crash_test
        target_id, dsn = row.target_id, target_dsn(session, desk.settings, row.target_id)
        copies = policy_of(session, get(session, row.target_id)).shows_rows
    try:
        seen, schema = _run(desk, plan, target_id, dsn, report, copies_statistics=copies, crash_test=crash_test)
    except HeadgateError as error:
        with desk.sessions.begin() as session:
            row = session.get_one(Rehearsal, rehearsal_id)
            row.state, row.error, row.finished_at = JobState.FAILED, error.as_json(), desk.clock.now()
        raise
    with desk.sessions.begin() as session:
        row = session.get_one(Rehearsal, rehearsal_id)
        row.state, row.ok, row.error = JobState.DONE, seen.ok and not (seen.crash_test and seen.crash_test.failed), None
        # the whole schema after the plan is kept with the document: verification compares the real result with it
        row.result = {**seen.as_json(), "schema_after": seen.schema_after, "target_schema": schema}
        row.schema_after_fingerprint, row.finished_at = seen.after, desk.clock.now()


def _run(
    desk: Desk, plan: Plan, target_id: int, dsn: str, report: Report, *, copies_statistics: bool, crash_test: bool
) -> tuple[Rehearsed, str]:
    """What was seen, and the fingerprint of the target's schema that it was seen with."""
    shadow = desk.settings.shadow_url
    if shadow is None:
        raise NoShadowError(hint="Set HEADGATE_SHADOW_URL to an empty server of the target's version.")
    schema, statistics = look(dsn)
    name = fingerprint(schema)
    with desk.sessions.begin() as session:
        if session.get_one(Target, target_id).schema_fingerprint != name:
            keep_snapshot(session, desk, target_id, schema, statistics)
    order = RehearsalOrder(
        plan=plan,
        target_dsn=dsn,
        shadow_dsn=shadow.get_secret_value(),
        queries=statistics.queries,
        ledger_schema=desk.settings.ledger_schema,
        bin_dir=desk.settings.client_bin_dir,
        copies_statistics=copies_statistics,
        crash_test=crash_test,
    )
    return rehearse_plan(order, report=lambda text: report({"text": text})), name
