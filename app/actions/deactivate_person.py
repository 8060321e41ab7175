"""Close an account, or open it again; what the person did stays."""

from app.actions.work import Work
from app.errors import NotAllowedError
from app.store import people, sign_ins
from app.store.tables.people import Person


def deactivate_person(work: Work, *, person_id: int, active: bool = False) -> Person:
    """Close an account and end its sign-ins (its tokens stop working with it), or open it with ``active=True``.

    Raises NotFoundError, NotAllowedError for one's own account.
    """
    work.actor.require_admin("close accounts")
    person = people.get(work.session, person_id)
    if person.id == work.actor.person_id:
        raise NotAllowedError("You can't close your own account.", hint="Ask another administrator.")
    if person.is_active == active:
        return person
    person.is_active = active
    ended = 0 if active else sign_ins.end_all(work.session, person.id, now=work.now)
    work.note("activate_person" if active else "deactivate_person", "person", person.id, sign_ins_ended=ended)
    return person
