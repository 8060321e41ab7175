"""Ask a worker to put a restored database in the place of the target's, or to put the old one back."""

from datetime import datetime, timedelta
from typing import Any

from app.actions import queueing, reach, wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import InvalidInputError, MovedMeanwhileError
from app.store import backups, runs
from app.store.tables.backups import Restore
from app.store.tables.targets import Target
from app.store.words import JobKind, RestoreState

#: who is connected changes; what a person agreed to must have been true a moment ago
LOOK_COUNTS_FOR = timedelta(minutes=10)


def swap_database(work: Work, *, restore_id: int, confirmation: str, end_sessions: bool) -> Restore:
    """Queue the swap, or the swap back where the restored database is in place; ``confirmation`` is the target's name, typed.

    ``end_sessions``: those that the last look named may be ended. Raises NotFoundError, NotAllowedError, InvalidInputError,
    MovedMeanwhileError where a run works on the target, another swap is open, or nobody looked at the sessions lately.
    """
    restore, target = reach.restore(work, restore_id, Permission.RESTORE)
    wording.typed(confirmation, target.name, "confirmation", "the target")
    if restore.state in (RestoreState.SWAPPING, RestoreState.SWAPPING_BACK):
        return restore
    reach.require_swappable(restore)
    reach.hold(work, target)
    _require_quiet(work, target, restore)
    seen = _seen(restore, work.now)
    if seen and not end_sessions:
        raise InvalidInputError(
            f"{len(seen)} sessions are connected.",
            fields={"end_sessions": "Agree to end the sessions that are named, or stop the application and look again."},
        )
    is_back = restore.state is RestoreState.SWAPPED
    restore.state = RestoreState.SWAPPING_BACK if is_back else RestoreState.SWAPPING
    restore.set_aside = restore.set_aside or f"headgate_before_{restore.id}"
    restore.swap = {"by": work.actor.name, "may_end": seen, "asked_at": work.now.isoformat()}
    queueing.job(work, JobKind.SWAP_DATABASE, restore.id)
    act = "swap_back" if is_back else "swap_database"
    work.note(
        act,
        "backup",
        restore.backup_id,
        project_id=target.project_id,
        target=target.name,
        new_database=restore.new_database,
        set_aside=restore.set_aside,
        ends_sessions=len(seen),
    )
    return restore


def _require_quiet(work: Work, target: Target, restore: Restore) -> None:
    run = runs.active_on(work.session, target.id)
    if run is not None:
        raise MovedMeanwhileError(f"Run {run.id} works on {target.name}.", hint="Let it end, or cancel it, before the swap.")
    others = [other for other in backups.swaps_on(work.session, target.id) if other.id != restore.id]
    if others:
        raise MovedMeanwhileError(
            f"{others[0].new_database} of backup {others[0].backup_id} is in the place of {target.name}.",
            hint="Put the old database back before another one takes its place.",
        )


def _seen(restore: Restore, now: datetime) -> list[dict[str, Any]]:
    if restore.sessions is None or now - datetime.fromisoformat(restore.sessions["at"]) > LOOK_COUNTS_FOR:
        raise MovedMeanwhileError("Nobody looked at the sessions lately.", hint="Look who is connected, then swap.")
    return list(restore.sessions["sessions"])
