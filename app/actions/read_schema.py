"""Ask a worker to read a target's schema and sizes."""

from app.actions import queueing, reach
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store.tables.jobs import Job
from app.store.words import JobKind


def read_schema(work: Work, *, target_id: int) -> Job:
    """Queue the reading; a second request finds the first one's job.

    Raises NotFoundError, NotAllowedError.
    """
    target = reach.target(work, target_id, Permission.TEST_TARGET)
    job = queueing.job(work, JobKind.SNAPSHOT_SCHEMA, target.id)
    work.note("read_schema", "target", target.id, project_id=target.project_id)
    return job
