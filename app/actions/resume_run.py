"""Let a paused run go on exactly where it stopped."""

from app.actions.moving import held, is_done, move
from app.actions.work import Work
from app.run.states import Move, RunState
from app.store.tables.runs import Run


def resume_run(work: Work, *, run_id: int) -> Run:
    """Resume; a run that works already stays so.

    Raises NotFoundError, NotAllowedError, IllegalMoveError.
    """
    run = held(work, run_id)
    if is_done(run, (RunState.RUNNING, RunState.WAITING_GATE)):
        return run
    return move(work, run, Move.RESUME, values={"asked": None, "asked_by": None})
