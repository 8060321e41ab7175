"""The first run: whoever comes first makes the administrator's account, and nobody after that."""

from app.actions import wording
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.store import passwords, people
from app.store.tables.people import Person


def create_first_admin(work: Work, *, email: str, name: str, password: str) -> Person:
    """Make the administrator's account while there is no account at all.

    Raises MovedMeanwhileError where there is one, InvalidInputError.
    """
    email, name = wording.email(email), wording.name(name)
    passwords.check_new(password)
    people.hold(work.session)
    if people.is_anybody_there(work.session):
        raise MovedMeanwhileError("The first account was made already.", hint="Sign in, or ask an administrator for an account.")
    person = people.add(work.session, email=email, name=name, password_hash=passwords.hash_password(password), is_admin=True)
    work.note("create_first_admin", "person", person.id, email=email)
    return person
