"""Change what somebody may do in a project, or take them out of it."""

from app.actions import reach, wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import NotAllowedError, NotFoundError
from app.review.roles import Role
from app.store import people


def change_role(work: Work, *, project_id: int, person_id: int, role: str | None) -> Role | None:
    """Give a member another role, or none; nobody changes their own, so that a project does not lose its last admin.

    Raises NotFoundError for who is no member, NotAllowedError, InvalidInputError.
    """
    project = reach.project(work, project_id, Permission.EDIT_PEOPLE)
    wanted = None if role is None else wording.role(role)
    before = people.roles_of(work.session, person_id).get(project.id)
    if before is None:
        raise NotFoundError("That person has no role here.", hint="Invite them first.")
    if person_id == work.actor.person_id and not work.actor.is_admin:
        raise NotAllowedError("You can't change your own role.", hint="Ask another admin of the project.")
    if before != wanted:
        people.set_role(work.session, person_id, project.id, wanted)
        work.note(
            "change_role",
            "person",
            person_id,
            project_id=project.id,
            before=before.value,
            role=wanted.value if wanted else None,
        )
    return wanted
