"""One restored database as its page shows it: how it came to be, who is connected, and whose place it may take."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.actions import reach
from app.actions.permissions import Permission
from app.actions.swap_database import LOOK_COUNTS_FOR
from app.actions.work import Work
from app.store import backups, targets
from app.store.jobs import open_of
from app.store.tables import Backup, Restore, Target
from app.store.words import JobKind, RestorePurpose, RestoreState
from app.web.views.backups import Doing, restore_doing

_SWAPPABLE = (RestoreState.DONE, RestoreState.SWAPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePage:
    """Everything on the page."""

    restore: Restore
    backup: Backup
    target: Target
    doing: Doing | None
    #: of the restore, once it is done
    result: Mapping[str, Any]
    #: of the last swap or swap back
    swap: Mapping[str, Any]
    #: a look at the sessions is queued or under way
    is_looking: bool
    #: who was connected, None where nobody looked lately
    sessions: tuple[Mapping[str, Any], ...] | None
    looked_at: str | None
    #: the database that the old one is called now, or would be
    set_aside: str
    is_moving: bool
    is_swapped: bool
    #: the form is shown
    may_swap: bool
    may_restore: bool
    may_cancel: bool


def restore_page(work: Work, restore_id: int) -> RestorePage:
    """Everything about one restore.

    Raises NotFoundError, NotAllowedError.
    """
    restore = reach.seen_restore(work, restore_id)
    backup = reach.backup(work, restore.backup_id, Permission.VIEW)
    target = targets.get(work.session, backup.target_id)
    may_restore = work.actor.may(target.project_id, Permission.RESTORE)
    seen = restore.sessions or {}
    is_fresh = bool(seen) and work.now - datetime.fromisoformat(seen["at"]) <= LOOK_COUNTS_FOR
    is_looking = open_of(work.session, JobKind.NAME_SESSIONS, restore.id) is not None
    is_beside = restore.purpose is RestorePurpose.BESIDE
    return RestorePage(
        restore=restore,
        backup=backup,
        target=target,
        doing=restore_doing(restore),
        result=restore.result or {},
        swap=restore.swap or {},
        is_looking=is_looking,
        sessions=tuple(seen["sessions"]) if is_fresh else None,
        looked_at=seen.get("at"),
        set_aside=restore.set_aside or f"headgate_before_{restore.id}",
        is_moving=is_looking or not backups.is_settled(restore),
        is_swapped=restore.state in (RestoreState.SWAPPED, RestoreState.SWAPPING_BACK),
        may_swap=may_restore and is_beside and restore.state in _SWAPPABLE,
        may_restore=may_restore,
        may_cancel=may_restore and restore.state in (RestoreState.QUEUED, RestoreState.RUNNING),
    )
