"""Members by project."""

from dataclasses import dataclass

from sqlalchemy import func, select

from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import people, targets
from app.store.tables import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLine:
    """One member of a project."""

    id: int
    name: str
    email: str
    role: str
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPeople:
    """One project with its members."""

    id: int
    name: str
    may_edit: bool
    members: tuple[MemberLine, ...]


def administrators(work: Work) -> tuple[tuple[str, str], ...]:
    """Name and email of those who can give every right: shown to everybody, so that a refusal has somebody to turn to."""
    rows = work.session.execute(
        select(Person.name, Person.email).where(Person.is_admin, Person.is_active).order_by(func.lower(Person.name))
    )
    return tuple((name, email) for name, email in rows)


def project_people(work: Work) -> tuple[ProjectPeople, ...]:
    """The members of every project that the actor sees."""
    actor = work.actor
    seen = targets.projects(work.session, None if actor.is_admin else set(actor.roles))
    return tuple(
        ProjectPeople(
            id=project.id,
            name=project.name,
            may_edit=actor.may(project.id, Permission.EDIT_PEOPLE),
            members=tuple(
                MemberLine(
                    id=member.person.id,
                    name=member.person.name,
                    email=member.person.email,
                    role=member.role.value,
                    is_active=member.person.is_active,
                )
                for member in people.members(work.session, project.id)
            ),
        )
        for project in seen
    )
