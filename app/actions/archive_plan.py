"""Put a plan away, or take it out again."""

from app.actions import reach
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.run.states import ACTIVE
from app.store import runs
from app.store.tables.plans import Plan
from app.store.words import PlanState


def archive_plan(work: Work, *, plan_id: int, away: bool = True) -> Plan:
    """Archive a plan, or make it a draft again with ``away=False``.

    Raises NotFoundError, NotAllowedError, MovedMeanwhileError while one of its runs is under way.
    """
    plan = reach.plan(work, plan_id, Permission.WRITE_PLAN, held=True)
    if (plan.state is PlanState.ARCHIVED) == away:
        return plan
    busy = next((run for run in runs.of_plan(work.session, plan.id) if run.state in ACTIVE), None)
    if away and busy is not None:
        raise MovedMeanwhileError(f"Run {busy.id} of this plan is under way.", hint="Archive it when the run has ended.")
    plan.state = PlanState.ARCHIVED if away else PlanState.DRAFT
    plan.updated_at = work.now
    work.note("archive_plan" if away else "unarchive_plan", "plan", plan.id, project_id=plan.project_id)
    return plan
