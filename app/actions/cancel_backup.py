"""Stop a backup that is being taken: pg_dump is ended within two seconds, and nothing of it is kept."""

from app.actions import reach
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.store import targets
from app.store.tables.backups import Backup
from app.store.words import BackupState


def cancel_backup(work: Work, *, backup_id: int) -> Backup:
    """Ask for it; one that is cancelled already stays so. A backup can't be paused: half of one is worth nothing.

    Raises NotFoundError, NotAllowedError, MovedMeanwhileError where it is done.
    """
    backup = reach.backup(work, backup_id, Permission.BACK_UP, held=True)
    if backup.state in (BackupState.CANCELLING, BackupState.CANCELLED):
        return backup
    if backup.state not in (BackupState.QUEUED, BackupState.RUNNING):
        raise MovedMeanwhileError(f"Backup {backup.id} is {backup.state.value}.", hint="There is nothing to cancel any more.")
    if backup.run_id is not None:
        raise MovedMeanwhileError(f"Backup {backup.id} is a step of run {backup.run_id}.", hint="Cancel the run instead.")
    is_begun = backup.state is BackupState.RUNNING
    backup.state = BackupState.CANCELLING if is_begun else BackupState.CANCELLED
    backup.cancelled_by = work.actor.person_id or None
    backup.finished_at = None if is_begun else work.now
    target = targets.get(work.session, backup.target_id)
    work.note("cancel_backup", "backup", backup.id, project_id=target.project_id, target=target.name)
    return backup
