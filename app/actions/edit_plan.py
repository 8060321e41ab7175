"""Change a plan: a new immutable revision; what was approved or ticked for the old one falls where it depends on it."""

from app.actions import reach
from app.actions.permissions import Permission
from app.actions.revising import revise
from app.actions.work import Work
from app.plan.model import Plan as Content
from app.store.tables.plans import PlanRevision


def edit_plan(
    work: Work, *, plan_id: int, content: Content, based_on: str, note: str = "", source_text: str | None = None
) -> PlanRevision:
    """Make the next revision; ``based_on`` is the digest of the one that the page showed. Sent twice, it makes one.

    Raises NotFoundError, NotAllowedError, MovedMeanwhileError where somebody edited meanwhile.
    """
    plan = reach.plan(work, plan_id, Permission.WRITE_PLAN, held=True)
    return revise(work, plan, content, based_on=based_on, note=note, source_text=source_text)
