"""Abort and roll back: stop a run at its next safe point and undo what it did, in one decision."""

from app.actions import wording
from app.actions.moving import held, is_done, move
from app.actions.permissions import Permission
from app.actions.undoing import begin_rollback, touched, under_way
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.run.events import StopAsked
from app.run.states import Move, RunState, moves_from
from app.store import targets
from app.store.events import append_event
from app.store.tables.runs import Run
from app.store.words import Ask, Direction


def abort_run(work: Work, *, run_id: int, target_name: str, reason: str = "") -> Run:
    """Stop and undo: at once where nothing is in flight, else as soon as the worker has reached a safe point.

    Returns the rollback run once there is one, until then the run itself; asked again it returns the same.
    Raises NotFoundError, NotAllowedError, InvalidInputError, IllegalMoveError, TargetTakenError, MovedMeanwhileError.
    """
    run = held(work, run_id, Permission.ROLL_BACK)
    wording.typed(target_name, targets.get(work.session, run.target_id).name, "target_name", "the target")
    if run.direction is not Direction.FORWARD:
        raise MovedMeanwhileError("This is a rollback itself.", hint="Cancel it; what it undid stays undone.")
    if is_done(run, (RunState.ROLLING_BACK,)):
        return under_way(work, run) or run
    why = wording.text(reason, "reason")
    if run.asked is Ask.ABORT and is_done(run, (RunState.CANCELLING, RunState.VERIFYING)):
        return run
    return _stop(work, run, why)


def _stop(work: Work, run: Run, why: str) -> Run:
    asked, asker = StopAsked(by=work.actor.name, what="abort", reason=why), work.actor.person_id or None
    if is_done(run, (RunState.CANCELLING, RunState.VERIFYING)):
        # a wish to stop that grew, or a run that is about to end by itself: the worker rolls back what comes of it
        run.asked, run.asked_by = Ask.ABORT, asker
        append_event(work.session, run.id, asked, at=work.now)
        work.session.flush()
        return run
    open_moves = {row.move for row in moves_from(run.state)}
    if Move.ROLL_BACK not in open_moves:
        values = {"asked": Ask.ABORT, "asked_by": asker}
        move(work, run, Move.ASK_CANCEL, also=(asked,), values=values, reason_given=why, then="roll back")
        if run.state is not RunState.CANCELLED:
            return run
    return begin_rollback(work, run) if touched(work, run) else run
