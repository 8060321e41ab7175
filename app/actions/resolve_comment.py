"""Close a thread of comments, or open it again."""

from app.actions import reach
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import reviews
from app.store.tables.reviews import Comment


def resolve_comment(work: Work, *, comment_id: int, resolved: bool = True) -> Comment:
    """Resolve the thread that the comment belongs to; doing it again changes nothing.

    Raises NotFoundError, NotAllowedError.
    """
    found, plan = reach.comment(work, comment_id, Permission.COMMENT)
    first = found if found.parent_id is None else reviews.comment(work.session, found.parent_id)
    if (first.resolved_at is not None) == resolved:
        return first
    first.resolved_at = work.now if resolved else None
    first.resolved_by = work.actor.person_id if resolved else None
    act = "resolve_comment" if resolved else "reopen_comment"
    work.note(act, "plan", plan.id, project_id=plan.project_id, comment=first.id)
    return first
