"""Take a named risk knowingly: it becomes part of the plan, so that reviewers approve it, too."""

from dataclasses import replace

from app.actions import reach, wording
from app.actions.permissions import Permission
from app.actions.revising import revise
from app.actions.work import Work
from app.plan.model import AcceptedRisk
from app.store import plans
from app.store.tables.plans import PlanRevision


def accept_finding(work: Work, *, plan_id: int, based_on: str, rule: str, reason: str, step: str | None = None) -> PlanRevision:
    """Accept a rule's finding in one step, or in all of them, with a reason: a new revision.

    Raises NotFoundError, NotAllowedError, InvalidInputError, MovedMeanwhileError.
    """
    plan = reach.plan(work, plan_id, Permission.WRITE_PLAN, held=True)
    reason = wording.reason(reason)
    content = plans.content(plans.current(work.session, plan))
    if step is not None and all(known.id != step for known in content.steps()):
        raise wording.refused("step", f"The plan has no step {step}.")
    risk = AcceptedRisk(rule=wording.name(rule, "rule"), step=step, reason=reason)
    others = tuple(accepted for accepted in content.accepted if (accepted.rule, accepted.step) != (risk.rule, risk.step))
    accepted = replace(content, accepted=(*others, risk))
    return revise(work, plan, accepted, based_on=based_on, note=f"Accepted {risk.rule}: {reason}")
