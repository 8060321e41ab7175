"""Ask a run to stop at its next safe point."""

from app.actions.moving import held, is_done, move
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.run.events import StopAsked
from app.run.states import Move, RunState
from app.store import runs
from app.store.tables.runs import Run
from app.store.words import Ask


def pause_run(work: Work, *, run_id: int) -> Run:
    """Ask for a pause; a run that is pausing or paused stays so.

    Raises NotFoundError, NotAllowedError, IllegalMoveError, MovedMeanwhileError while a step takes a backup.
    """
    run = held(work, run_id)
    if is_done(run, (RunState.PAUSING, RunState.PAUSED)):
        return run
    if runs.takes_backup_now(work.session, run):
        raise MovedMeanwhileError(
            f"Run {run.id} takes a backup now, and that can't be paused: half of a dump is worth nothing.",
            hint="Pause when the backup is done, or cancel the run; nothing of the dump is kept then.",
        )
    asked = StopAsked(by=work.actor.name, what="pause")
    return move(work, run, Move.ASK_PAUSE, also=(asked,), values={"asked": Ask.PAUSE, "asked_by": work.actor.person_id})
