"""Ask a worker to test a target's connection: version, rights, extensions, and what mends what is missing."""

from app.actions import queueing, reach
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store.tables.jobs import Job
from app.store.words import JobKind


def test_target(work: Work, *, target_id: int) -> Job:
    """Queue the test; a second request finds the first one's job.

    Raises NotFoundError, NotAllowedError.
    """
    target = reach.target(work, target_id, Permission.TEST_TARGET)
    job = queueing.job(work, JobKind.TEST_TARGET, target.id)
    work.note("test_target", "target", target.id, project_id=target.project_id)
    return job
