"""Takes one job and does it, once: a second worker finds it taken, and one whose worker died is taken again."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import update

from app.actions.worker import analyse, back_up, check_target, end_session, measure, rehearse, restore, swap, verify_backup
from app.actions.worker.desk import Desk, Report
from app.errors import HeadgateError
from app.store.claims import job_claimed
from app.store.tables.jobs import Job
from app.store.words import JobKind, JobState

logger = logging.getLogger("headgate.jobs")

#: What is done for a kind; each gets the subject's id and may report progress. It writes its own subject's rows.
PERFORMERS: Mapping[JobKind, Callable[[Desk, int, Report], None]] = {
    JobKind.TEST_TARGET: check_target.check_target,
    JobKind.SNAPSHOT_SCHEMA: check_target.snapshot_schema,
    JobKind.ANALYSE: analyse.analyse,
    JobKind.REHEARSE: rehearse.rehearse,
    JobKind.BACKUP: back_up.back_up,
    JobKind.VERIFY_BACKUP: verify_backup.verify_backup,
    JobKind.RESTORE: restore.restore,
    JobKind.NAME_SESSIONS: swap.name_sessions,
    JobKind.SWAP_DATABASE: swap.swap_database,
    JobKind.TAKE_METRICS: measure.measure_now,
    JobKind.END_SESSION: end_session.end_session,
}


def perform_job(desk: Desk, job_id: int) -> bool:
    """Do the job; False where somebody else does it or it is done."""
    with job_claimed(desk.engine, job_id, owner=desk.owner) as taken:
        if taken is None:
            return False
        error = _try(desk, job_id, JobKind(taken.kind), taken.subject_id)
        state = JobState.FAILED if error else JobState.DONE
        with desk.sessions.begin() as session:
            values = {"state": state, "error": error, "finished_at": desk.clock.now(), "owner": None}
            session.execute(update(Job).where(Job.id == job_id).values(values))
    return True


def _try(desk: Desk, job_id: int, kind: JobKind, subject_id: int) -> dict[str, Any] | None:
    def report(progress: dict[str, Any]) -> None:
        with desk.sessions.begin() as session:
            session.execute(update(Job).where(Job.id == job_id).values(progress=progress))

    try:
        PERFORMERS[kind](desk, subject_id, report)
    except HeadgateError as error:
        logger.warning("Job %s (%s of %s) failed: %s", job_id, kind.value, subject_id, error.message)
        return error.as_json()
    except Exception:  # the worker edge: a bug must end the job with a word, not leave it running for ever
        logger.exception("Job %s (%s of %s) broke", job_id, kind.value, subject_id)
        return HeadgateError(
            "Headgate itself failed at this.", hint=f"The worker's log has the details under job {job_id}."
        ).as_json()
    return None
