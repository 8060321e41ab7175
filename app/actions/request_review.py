"""Ask for a review of the newest revision."""

from app.actions import queueing, reach
from app.actions.deciding import settle
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.store import plans, reviews
from app.store.tables.plans import Plan
from app.store.words import PlanState


def request_review(work: Work, *, plan_id: int) -> Plan:
    """Put a plan into review; what was analysed never, is analysed now. Asking again changes nothing.

    Raises NotFoundError where the plan has no target yet, NotAllowedError, MovedMeanwhileError for an archived plan, and for
    one that nobody changed since somebody asked for changes.
    """
    plan = reach.plan(work, plan_id, Permission.WRITE_PLAN, held=True)
    target = reach.target_of_plan(work, plan, None)
    if plan.state in {PlanState.IN_REVIEW, PlanState.APPROVED}:
        return plan
    if plan.state is PlanState.ARCHIVED:
        raise MovedMeanwhileError("The plan is archived.", hint="Take it out of the archive first.")
    revision = plans.current(work.session, plan)
    if plan.state is PlanState.REJECTED:
        raise _still_rejected(work, plan, revision.id, target.id)
    if plans.newest_analysis(work.session, revision.id, target.id) is None:
        queueing.analysis(work, revision.id, target.id)
    plan.state = PlanState.IN_REVIEW
    settle(work, plan, target, revision)
    work.note(
        "request_review",
        "plan",
        plan.id,
        project_id=plan.project_id,
        revision=revision.number,
        digest=revision.digest,
        target=target.name,
    )
    return plan


def _still_rejected(work: Work, plan: Plan, revision_id: int, target_id: int) -> MovedMeanwhileError:
    decisions = reviews.standing_decisions(work.session, revision_id, target_id, plan.project_id)
    names = " and ".join(decision.person for decision in decisions if decision.verdict == "request_changes") or "Somebody"
    return MovedMeanwhileError(
        f"{names} asked for changes, and nothing was changed since.",
        hint="Edit the plan, or answer and convince: whoever asked can approve it as it is.",
    )
