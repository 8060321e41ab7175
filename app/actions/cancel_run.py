"""Stop a run for good; finished steps stay done."""

from app.actions import wording
from app.actions.moving import held, is_done, move
from app.actions.work import Work
from app.run.events import StopAsked
from app.run.states import Move, RunState
from app.store.tables.runs import Run
from app.store.words import Ask


def cancel_run(work: Work, *, run_id: int, reason: str = "") -> Run:
    """Cancel, or ask for it where a worker has to reach a safe point first; a cancelled run stays so.

    Raises NotFoundError, NotAllowedError, IllegalMoveError.
    """
    run = held(work, run_id)
    if is_done(run, (RunState.CANCELLING, RunState.CANCELLED)):
        return run
    why = wording.text(reason, "reason")
    asked = StopAsked(by=work.actor.name, what="cancel", reason=why)
    values = {"asked": Ask.CANCEL, "asked_by": work.actor.person_id}
    return move(work, run, Move.ASK_CANCEL, also=(asked,), values=values, reason_given=why)
