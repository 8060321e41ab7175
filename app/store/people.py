"""People and their roles."""

from dataclasses import dataclass

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from app.errors import NotFoundError
from app.review.roles import Role
from app.store.tables.people import Membership, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person with a role in a project."""

    person: Person
    role: Role


def is_anybody_there(session: Session) -> bool:
    """False before the first administrator was made: the state of the first run."""
    return bool(session.scalar(select(exists().where(Person.id > 0))))


def hold(session: Session) -> None:
    """Let nobody else make an account until the transaction ends."""
    session.execute(text("LOCK TABLE people IN SHARE ROW EXCLUSIVE MODE"))


def get(session: Session, person_id: int) -> Person:
    """The person of that id.

    Raises NotFoundError.
    """
    person = session.get(Person, person_id)
    if person is None:
        raise NotFoundError("There is no such person.")
    return person


def by_email(session: Session, email: str) -> Person | None:
    """The account of an address, in whatever case it was typed."""
    return session.scalar(select(Person).where(Person.email == email.strip().lower()))


def everybody(session: Session) -> list[Person]:
    """All accounts by name, closed ones last."""
    return list(session.scalars(select(Person).order_by(Person.is_active.desc(), Person.name, Person.id)))


def names(session: Session, ids: set[int]) -> dict[int, str]:
    """The names of people, by id."""
    return {row.id: row.name for row in session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))}


def add(session: Session, *, email: str, name: str, password_hash: str | None, is_admin: bool = False) -> Person:
    """Make an account; the address has to be new (a unique constraint says so)."""
    person = Person(
        email=email.strip().lower(), name=name.strip(), password_hash=password_hash, is_admin=is_admin, is_active=True
    )
    session.add(person)
    session.flush()
    return person


def roles_of(session: Session, person_id: int) -> dict[int, Role]:
    """The person's roles by project."""
    rows = session.execute(select(Membership.project_id, Membership.role).where(Membership.person_id == person_id))
    return {row.project_id: row.role for row in rows}


def members(session: Session, project_id: int) -> list[Member]:
    """Everybody who has a role in the project, the highest role first."""
    rows = session.execute(
        select(Person, Membership.role)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.project_id == project_id)
        .order_by(Person.name, Person.id)
    )
    found = [Member(person=person, role=role) for person, role in rows]
    return sorted(found, key=lambda member: -member.role.rank)


def set_role(session: Session, person_id: int, project_id: int, role: Role | None) -> None:
    """Give the person a role in the project, or take it away with None."""
    if role is None:
        membership = session.get(Membership, (person_id, project_id))
        if membership is not None:
            session.delete(membership)
            session.flush()
        return
    session.merge(Membership(person_id=person_id, project_id=project_id, role=role))
    session.flush()
