"""Say which database a plan is meant for."""

from app.actions import queueing, reach
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import plans
from app.store.tables.plans import Plan
from app.store.words import PlanState


def choose_target(work: Work, *, plan_id: int, target_id: int) -> Plan:
    """Mean the plan for another target of its project; the review starts again, since it was about the old one.

    Raises NotFoundError, NotAllowedError.
    """
    plan = reach.plan(work, plan_id, Permission.WRITE_PLAN, held=True)
    target = reach.target_of_plan(work, plan, target_id)
    if plan.target_id == target.id:
        return plan
    plan.target_id, plan.updated_at = target.id, work.now
    if plan.state is not PlanState.ARCHIVED:
        plan.state = PlanState.DRAFT
    queueing.analysis(work, plans.current(work.session, plan).id, target.id)
    work.note("choose_target", "plan", plan.id, project_id=plan.project_id, target=target.name)
    return plan
