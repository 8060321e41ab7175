"""Hand the control of a run over to somebody else, or decline to."""

from app.actions import wording
from app.actions.driving import able, held_to_drive, name_of, refuse_unless_driver, tell
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.run.events import ControlDeclined, ControlHandedOver
from app.store import control
from app.store.tables.control import Handover
from app.store.tables.runs import Run
from app.store.words import HandoverState


def hand_over_control(work: Work, *, run_id: int, to: int, note: str = "") -> Run:
    """Hand the run to a person who may control runs, asked or not; handed over already is no error.

    Raises NotFoundError, NotDriverError, MovedMeanwhileError where the run has ended.
    """
    run = held_to_drive(work, run_id)
    if run.driver_id == to:
        return run
    refuse_unless_driver(work, run)
    person, said = able(work, run, to), wording.text(note)
    ask = control.open_ask(work.session, run.id, to)
    if ask is None:
        ask = Handover(run_id=run.id, driver_id=run.driver_id, person_id=to, at=work.now, state=HandoverState.HANDED)
        work.session.add(ask)
    _answer(work, ask, HandoverState.HANDED, said)
    run.driver_id = to
    work.session.flush()
    event = ControlHandedOver(by=work.actor.name, person=person.name, note=said)
    tell(work, run, "hand_over_control", event, to=person.name, note_given=said)
    return run


def decline_control(work: Work, *, run_id: int, person_id: int, note: str = "") -> Run:
    """Keep the control that a person asked for.

    Raises NotFoundError, NotDriverError, MovedMeanwhileError where nobody of that name asks for it any more.
    """
    run = held_to_drive(work, run_id)
    refuse_unless_driver(work, run)
    ask, person, said = control.open_ask(work.session, run.id, person_id), name_of(work, person_id), wording.text(note)
    if ask is None:
        raise MovedMeanwhileError(f"{person} does not ask for the control of run {run.id} any more.", hint="Load the page again.")
    _answer(work, ask, HandoverState.DECLINED, said)
    work.session.flush()
    event = ControlDeclined(by=work.actor.name, person=person, note=said)
    tell(work, run, "decline_control", event, to=person, note_given=said)
    return run


def _answer(work: Work, ask: Handover, state: HandoverState, said: str) -> None:
    ask.state, ask.answer, ask.answered_at = state, said, work.now
