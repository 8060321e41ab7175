"""Set a password: one's own, knowing the present one, or, as an administrator, somebody else's."""

from app.actions import wording
from app.actions.work import Work
from app.store import passwords, people, sign_ins
from app.store.tables.people import Person


def set_password(work: Work, *, person_id: int, new: str, present: str = "") -> Person:
    """Set the password and end the person's other sign-ins.

    Raises NotFoundError, NotAllowedError, InvalidInputError where the present password is wrong or the new one too weak.
    """
    if person_id != work.actor.person_id:
        # before the look: whether a person of that number exists is nobody else's business
        work.actor.require_admin("set other people's passwords")
    person = people.get(work.session, person_id)
    if person.id == work.actor.person_id:
        right, _ = passwords.is_right(present, person.password_hash)
        if not right:
            raise wording.refused("present", "This is not your present password.")
    passwords.check_new(new)
    person.password_hash = passwords.hash_password(new)
    own = work.actor.sign_in_id if person.id == work.actor.person_id else None
    sign_ins.end_all(work.session, person.id, now=work.now, but=own)
    work.note("set_password", "person", person.id)
    return person
