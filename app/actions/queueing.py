"""Work for the workers: the row says what to do, the bell is rung after the commit, and asking twice queues it once."""

from app.actions.work import Work
from app.store import jobs, plans
from app.store.tables.jobs import Job
from app.store.tables.plans import Analysis, Rehearsal
from app.store.words import JobKind


def job(work: Work, kind: JobKind, subject_id: int) -> Job:
    """Queue a job, or find the open one of the same kind and subject."""
    found = jobs.queue(work.session, kind, subject_id, requested_by=work.actor.person_id or None, now=work.now)
    work.wake("job", found.id)
    return found


def analysis(work: Work, revision_id: int, target_id: int | None) -> Analysis:
    """Queue the analysis of a revision for a target, or find the open one."""
    found = plans.queue_analysis(work.session, revision_id, target_id, now=work.now)
    job(work, JobKind.ANALYSE, found.id)
    return found


def rehearsal(work: Work, revision_id: int, target_id: int, *, crash_test: bool = False) -> Rehearsal:
    """Queue the rehearsal of a revision for a target, or find the open one."""
    found = plans.queue_rehearsal(work.session, revision_id, target_id, now=work.now, crash_test=crash_test)
    job(work, JobKind.REHEARSE, found.id)
    return found
