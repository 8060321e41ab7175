"""Retire a target: no plan runs on it any more, its history stays."""

from app.actions import reach
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.store import runs
from app.store.tables.targets import Target


def retire_target(work: Work, *, target_id: int) -> Target:
    """Retire a target; retiring it again changes nothing.

    Raises NotFoundError, NotAllowedError, MovedMeanwhileError while a run holds it.
    """
    target = reach.target(work, target_id, Permission.EDIT_TARGETS)
    if target.retired_at is not None:
        return target
    run = runs.active_on(work.session, target.id)
    if run is not None:
        raise MovedMeanwhileError(f"Run {run.id} holds {target.name}.", hint="Wait for the run to end, or cancel it.")
    target.retired_at = work.now
    work.note("retire_target", "target", target.id, project_id=target.project_id, name=target.name)
    return target
