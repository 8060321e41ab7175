"""Give somebody a role in a project, with an account where there is none yet."""

import secrets
from dataclasses import dataclass, field

from app.actions import reach, wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.store import passwords, people
from app.store.tables.people import Person

_PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """The person, and the password of a new account: shown once, kept nowhere."""

    person: Person
    password: str | None = field(repr=False)


def invite_person(work: Work, *, project_id: int, email: str, role: str, name: str = "", password: str | None = None) -> Invited:
    """Give the person of that address a role; a new account gets the given password, or a generated one.

    Raises NotFoundError, NotAllowedError, InvalidInputError, MovedMeanwhileError for a closed account.
    """
    project = reach.project(work, project_id, Permission.EDIT_PEOPLE)
    email, wanted = wording.email(email), wording.role(role)
    person = people.by_email(work.session, email)
    generated: str | None = None
    if person is None:
        people.hold(work.session)
        person = people.by_email(work.session, email)
    if person is None:
        generated = password or secrets.token_urlsafe(_PASSWORD_BYTES)
        passwords.check_new(generated)
        person = people.add(
            work.session,
            email=email,
            name=wording.name(name or email.partition("@")[0]),
            password_hash=passwords.hash_password(generated),
        )
    elif not person.is_active:
        raise MovedMeanwhileError(f"The account {email} is closed.", hint="An administrator can open it again under People.")
    people.set_role(work.session, person.id, project.id, wanted)
    work.note(
        "invite_person",
        "person",
        person.id,
        project_id=project.id,
        email=email,
        role=wanted.value,
        new_account=generated is not None,
    )
    return Invited(person=person, password=generated)
