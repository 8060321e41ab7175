"""Members by project."""

from dataclasses import dataclass

from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import people, targets


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
