"""Say something about a plan, one of its steps, or a line of a step's SQL."""

from datetime import timedelta

from app.actions import reach, wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import plans, reviews
from app.store.tables.reviews import Comment

#: the same words at the same place within this time are the same form, sent again
_TWICE = timedelta(minutes=1)


def comment(
    work: Work, *, plan_id: int, body: str, step_id: str | None = None, line: int | None = None, parent_id: int | None = None
) -> Comment:
    """Add a comment to the newest revision; an answer stands where the thread's first comment stands. Sent twice, it is one.

    Raises NotFoundError, NotAllowedError, InvalidInputError.
    """
    plan = reach.plan(work, plan_id, Permission.COMMENT, held=True)
    body = wording.reason(body, "body")
    revision = plans.current(work.session, plan)
    if parent_id is not None:
        parent, _ = reach.comment(work, parent_id, Permission.COMMENT)
        if parent.plan_id != plan.id:
            raise wording.refused("parent_id", "That comment belongs to another plan.")
        step_id, line, parent_id = parent.step_id, parent.line, parent.parent_id or parent.id
    elif step_id is not None and all(step.id != step_id for step in plans.content(revision).steps()):
        raise wording.refused("step_id", f"The plan has no step {step_id}.")
    added = Comment(
        plan_id=plan.id,
        revision_id=revision.id,
        step_id=step_id,
        line=line,
        body=body,
        author_id=work.actor.person_id,
        created_at=work.now,
        parent_id=parent_id,
    )
    twin = reviews.same_comment(work.session, added, since=work.now - _TWICE)
    if twin is not None:
        return twin
    work.session.add(added)
    work.session.flush()
    work.note("comment", "plan", plan.id, project_id=plan.project_id, comment=added.id, step=step_id, line=line)
    return added
