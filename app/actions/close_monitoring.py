"""Sign the watch of a run off: the run is complete."""

from app.actions import moving, wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.run.states import Move, RunState
from app.store import snapshots
from app.store.tables.runs import Run
from app.store.words import ItemState


def close_monitoring(work: Work, *, run_id: int, note: str = "") -> Run:
    """Close; where items failed or are still open, the note has to say why that is all right. A closed one stays so.

    Raises NotFoundError, NotAllowedError, InvalidInputError, IllegalMoveError.
    """
    run = moving.held(work, run_id, Permission.MONITOR)
    if moving.is_done(run, (RunState.COMPLETED,)):
        return run
    good = {ItemState.PASSED, ItemState.OVERRIDDEN}
    left = [item.item_id for item in snapshots.items(work.session, run.id) if item.state not in good]
    said = wording.reason(note, "note") if left else wording.text(note)
    return moving.move(work, run, Move.CLOSE, reason=said or None, left=left, note_given=said)
