"""Ask a worker who is connected to a target's database and to the one that should take its place."""

from app.actions import queueing, reach
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store.tables.jobs import Job
from app.store.words import JobKind


def name_sessions(work: Work, *, restore_id: int) -> Job:
    """Queue the look; its answer is kept with the restore, and whoever swaps agrees to what it shows.

    Raises NotFoundError, NotAllowedError, MovedMeanwhileError where the restored database can't be swapped.
    """
    restore, _ = reach.restore(work, restore_id, Permission.RESTORE)
    reach.require_swappable(restore)
    return queueing.job(work, JobKind.NAME_SESSIONS, restore.id)
