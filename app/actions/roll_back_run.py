"""Undo what a run did: a run of its own, that works backwards through the finished steps."""

from app.actions import wording
from app.actions.moving import held, is_done
from app.actions.permissions import Permission
from app.actions.undoing import Scope, begin_rollback, under_way
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.run.states import RunState
from app.store import targets
from app.store.tables.runs import Run
from app.store.words import Direction


def roll_back_run(work: Work, *, run_id: int, target_name: str, scope: Scope = "all", of: str = "") -> Run:
    """Start the rollback of a forward run, of one phase or of one step (``of`` names it); returns the rollback run.

    ``target_name`` is the target's name, typed. Asked again while it is under way, the same rollback run is returned.
    Raises NotFoundError, NotAllowedError, InvalidInputError, IllegalMoveError, TargetTakenError.
    """
    run = held(work, run_id, Permission.ROLL_BACK)
    target = targets.get(work.session, run.target_id)
    wording.typed(target_name, target.name, "target_name", "the target")
    if is_done(run, (RunState.ROLLING_BACK,)):
        back = under_way(work, run)
        if back is not None:
            return back
    if run.direction is not Direction.FORWARD:
        raise MovedMeanwhileError("This is a rollback itself.", hint="Start the plan again to go forward.")
    return begin_rollback(work, run, scope=scope, of=of)
