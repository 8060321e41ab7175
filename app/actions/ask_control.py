"""Ask the one who drives a run for its control."""

from app.actions import wording
from app.actions.driving import held_to_drive, tell
from app.actions.work import Work
from app.run.events import ControlAsked
from app.store import control
from app.store.tables.control import Handover
from app.store.tables.runs import Run
from app.store.words import HandoverState


def ask_control(work: Work, *, run_id: int, note: str = "") -> Run:
    """Ask; who has asked already, or drives it, asks no second time.

    Raises NotFoundError, NotAllowedError, MovedMeanwhileError where the run has ended.
    """
    run = held_to_drive(work, run_id)
    me = work.actor.person_id
    if run.driver_id == me or control.open_ask(work.session, run.id, me) is not None:
        return run
    said = wording.text(note)
    work.session.add(
        Handover(run_id=run.id, state=HandoverState.ASKED, driver_id=run.driver_id, person_id=me, note=said, at=work.now)
    )
    work.session.flush()
    tell(work, run, "ask_control", ControlAsked(by=work.actor.name, note=said), note_given=said)
    return run
