"""Review a control that was taken: somebody else says what is to be said of it."""

from app.actions import reach, wording
from app.actions.driving import name_of, tell
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import NotAllowedError, NotFoundError
from app.run.events import ControlReviewed
from app.store.tables.control import Handover
from app.store.words import HandoverState


def review_control(work: Work, *, run_id: int, handover_id: int, note: str) -> Handover:
    """Close the review with a note; a closed one stays as it is.

    Raises NotFoundError, NotAllowedError to who took it, InvalidInputError without a note.
    """
    run = reach.run(work, run_id, Permission.REVIEW_CONTROL, held=True)
    row = work.session.get(Handover, handover_id, with_for_update=True)
    if row is None or row.run_id != run.id or row.state is not HandoverState.TAKEN:
        raise NotFoundError("Nobody took the control of that run then.")
    if row.reviewed_at is not None:
        return row
    if row.person_id == work.actor.person_id:
        raise NotAllowedError("You took this control yourself.", hint="Somebody else reviews it.")
    said = wording.reason(note, "note")
    row.review, row.reviewed_by, row.reviewed_at = said, work.actor.person_id or None, work.now
    work.session.flush()
    event = ControlReviewed(by=work.actor.name, person=name_of(work, row.person_id), note=said)
    tell(work, run, "review_control", event, taken_by=event.person, note_given=said)
    return row
