"""Stop a restore or a test restore: pg_restore is ended, and the new database is dropped."""

from app.actions import reach
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.store.tables.backups import Restore
from app.store.words import RestorePurpose, RestoreState


def cancel_restore(work: Work, *, restore_id: int) -> Restore:
    """Ask for it; one that is cancelled already stays so.

    Raises NotFoundError, NotAllowedError, MovedMeanwhileError where it is at its end.
    """
    restore, target = reach.restore(work, restore_id, Permission.BACK_UP)
    if restore.purpose is RestorePurpose.BESIDE:
        work.actor.require(target.project_id, Permission.RESTORE)
    if restore.state in (RestoreState.CANCELLING, RestoreState.CANCELLED):
        return restore
    if restore.state not in (RestoreState.QUEUED, RestoreState.RUNNING):
        raise MovedMeanwhileError(f"The restore is {restore.state.value}.", hint="There is nothing to cancel any more.")
    is_begun = restore.state is RestoreState.RUNNING
    restore.state = RestoreState.CANCELLING if is_begun else RestoreState.CANCELLED
    restore.cancelled_by = work.actor.person_id or None
    restore.finished_at = None if is_begun else work.now
    work.note("cancel_restore", "backup", restore.backup_id, project_id=target.project_id, new_database=restore.new_database)
    return restore
