"""Ask a worker to compare a backup with its manifest, every byte of it, and to let pg_restore list it."""

from app.actions import queueing, reach
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import targets
from app.store.tables.jobs import Job
from app.store.words import JobKind


def verify_backup(work: Work, *, backup_id: int) -> Job:
    """Queue it; while one is open, that one is found.

    Raises NotFoundError, NotAllowedError, MovedMeanwhileError where the backup is not there (any more).
    """
    backup = reach.backup(work, backup_id, Permission.BACK_UP)
    reach.require_stored(backup)
    job = queueing.job(work, JobKind.VERIFY_BACKUP, backup.id)
    target = targets.get(work.session, backup.target_id)
    work.note("verify_backup", "backup", backup.id, project_id=target.project_id, target=target.name)
    return job
