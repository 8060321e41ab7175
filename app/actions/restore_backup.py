"""Ask a worker to restore a backup into a new database beside the old one; the old one is not touched."""

import re

from app.actions import queueing, reach, wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import backups, targets
from app.store.tables.backups import Restore
from app.store.words import JobKind

_NAME = re.compile(r"[a-z_][a-z0-9_$]{0,62}")


def restore_backup(work: Work, *, backup_id: int, new_database: str, confirmation: str) -> Restore:
    """Queue the restore; ``confirmation`` is the name of the new database, typed once more.

    Raises NotFoundError, NotAllowedError, InvalidInputError, MovedMeanwhileError where the backup is not there (any more).
    """
    backup = reach.backup(work, backup_id, Permission.RESTORE)
    target = targets.get(work.session, backup.target_id)
    name = new_database.strip()
    if not _NAME.fullmatch(name):
        wrong = "Use lower-case letters, digits and underscores, beginning with a letter, at most 63."
        raise wording.refused("new_database", wrong)
    wording.typed(confirmation, name, "confirmation", "the new database")
    reach.require_stored(backup)
    restore = backups.request_restore(work.session, backup.id, new_database=name, requested_by=work.actor.person_id, now=work.now)
    queueing.job(work, JobKind.RESTORE, restore.id)
    work.note("restore_backup", "backup", backup.id, project_id=target.project_id, target=target.name, new_database=name)
    return restore
