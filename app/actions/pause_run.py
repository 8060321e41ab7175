"""Ask a run to stop at its next safe point."""

from app.actions.moving import held, is_done, move
from app.actions.work import Work
from app.run.events import StopAsked
from app.run.states import Move, RunState
from app.store.tables.runs import Run
from app.store.words import Ask


def pause_run(work: Work, *, run_id: int) -> Run:
    """Ask for a pause; a run that is pausing or paused stays so.

    Raises NotFoundError, NotAllowedError, IllegalMoveError.
    """
    run = held(work, run_id)
    if is_done(run, (RunState.PAUSING, RunState.PAUSED)):
        return run
    asked = StopAsked(by=work.actor.name, what="pause")
    return move(work, run, Move.ASK_PAUSE, also=(asked,), values={"asked": Ask.PAUSE, "asked_by": work.actor.person_id})
