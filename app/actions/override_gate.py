"""Open a gate by name although its condition is not met: a right, a reason, and it stays visible."""

from app.actions import reach, wording
from app.actions.load_readiness import load_facts
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError, NotAllowedError
from app.review.readiness import NotReady, readiness
from app.store import plans
from app.store.tables.reviews import Override


def override_gate(
    work: Work, *, plan_id: int, gate: str, reason: str, digest: str, target_id: int | None = None
) -> Override | None:
    """Override a gate that is missing now, for this revision and target alone; None where it is open anyway.

    Raises NotFoundError, NotAllowedError, InvalidInputError for a gate that nobody can override, MovedMeanwhileError.
    """
    plan = reach.plan(work, plan_id, Permission.OVERRIDE, held=True)
    target = reach.target_of_plan(work, plan, target_id)
    why = wording.reason(reason)
    revision = plans.current(work.session, plan)
    if revision.digest != digest:
        raise MovedMeanwhileError("The plan was edited meanwhile.", hint="Load the page again and look at what changed.")
    facts = load_facts(work.session, revision_id=revision.id, target_id=target.id, now=work.now)
    if gate == "approvals" and work.actor.person_id in facts.authors:
        raise NotAllowedError("You wrote this revision: you can't stand in for its approvals.", hint="Ask another admin.")
    answer = readiness(facts)
    missing = next((found for found in answer.missing if found.gate == gate), None) if isinstance(answer, NotReady) else None
    if missing is None:
        return None
    if not missing.can_override:
        raise wording.refused("gate", f"This can't be overridden: {missing.why}")
    override = Override(
        plan_id=plan.id,
        revision_id=revision.id,
        target_id=target.id,
        gate=gate,
        person_id=work.actor.person_id,
        reason=why,
        created_at=work.now,
    )
    work.session.add(override)
    work.session.flush()
    work.note(
        "override_gate",
        "plan",
        plan.id,
        project_id=plan.project_id,
        gate=gate,
        missing=missing.why,
        reason=why,
        revision=revision.number,
        target=target.name,
    )
    return override
