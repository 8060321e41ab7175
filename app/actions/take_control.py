"""Break-glass: take the control of a run without being given it; that opens a review of its own."""

from app.actions import wording
from app.actions.driving import held_to_drive, name_of, tell
from app.actions.work import Work
from app.run.events import ControlTaken
from app.store import control
from app.store.tables.control import Handover
from app.store.tables.runs import Run
from app.store.words import HandoverState


def take_control(work: Work, *, run_id: int, reason: str) -> Run:
    """Take it, with a reason that stays; who drives the run already takes nothing.

    Raises NotFoundError, NotAllowedError, InvalidInputError without a reason, MovedMeanwhileError where the run has ended.
    """
    run = held_to_drive(work, run_id)
    me = work.actor.person_id
    if run.driver_id == me:
        return run
    why, before = wording.reason(reason), run.driver_id
    taken = control.open_ask(work.session, run.id, me)
    if taken is None:
        taken = Handover(run_id=run.id, person_id=me, driver_id=before, at=work.now, state=HandoverState.TAKEN)
        work.session.add(taken)
    taken.state, taken.note, taken.driver_id, taken.at = HandoverState.TAKEN, why, before, work.now
    run.driver_id = me
    work.session.flush()
    event = ControlTaken(by=work.actor.name, person=name_of(work, before), reason=why)
    tell(work, run, "take_control", event, previous=event.person, reason_given=why)
    return run
