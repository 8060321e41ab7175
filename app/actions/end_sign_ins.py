"""End sign-ins: one's own on other machines, or, as an administrator, somebody else's."""

from app.actions.work import Work
from app.errors import NotFoundError
from app.store import people, sign_ins
from app.store.tables.people import SignIn


def end_sign_ins(work: Work, *, person_id: int, sign_in_id: int | None = None) -> int:
    """End one sign-in of a person, or all of them (of one's own all but this one); returns how many ended.

    Raises NotFoundError, NotAllowedError.
    """
    if person_id != work.actor.person_id:
        work.actor.require_admin("end other people's sign-ins")
    people.get(work.session, person_id)
    if sign_in_id is None:
        own = work.actor.sign_in_id if person_id == work.actor.person_id else None
        ended = sign_ins.end_all(work.session, person_id, now=work.now, but=own)
    else:
        found = work.session.get(SignIn, sign_in_id)
        if found is None or found.person_id != person_id:
            raise NotFoundError
        ended = int(sign_ins.end(work.session, sign_in_id, now=work.now))
    if ended:
        work.note("end_sign_ins", "person", person_id, ended=ended)
    return ended
