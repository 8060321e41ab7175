"""Ask a worker to judge every statement of a plan against a target as it is now."""

from app.actions import queueing, reach
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import plans
from app.store.tables.plans import Analysis


def analyse_plan(work: Work, *, plan_id: int, target_id: int | None = None) -> Analysis:
    """Queue the analysis of the newest revision, for the plan's own target or another; the open one is found again.

    Raises NotFoundError, NotAllowedError.
    """
    plan = reach.plan(work, plan_id, Permission.REHEARSE)
    revision = plans.current(work.session, plan)
    wanted = None if target_id is None and plan.target_id is None else reach.target_of_plan(work, plan, target_id).id
    analysis = queueing.analysis(work, revision.id, wanted)
    work.note("analyse_plan", "plan", plan.id, project_id=plan.project_id, revision=revision.number, target_id=wanted)
    return analysis
