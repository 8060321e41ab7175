"""What approving and asking for changes have in common: who may, about which revision, and what state the plan is in then."""

from app.actions import reach
from app.actions.load_readiness import load_facts
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError, NotAllowedError
from app.review.approvals import tally
from app.review.facts import Facts
from app.store import plans, reviews
from app.store.tables.plans import Plan, PlanRevision
from app.store.tables.reviews import Decision
from app.store.tables.targets import Target
from app.store.words import PlanState, Verdict


def decide(work: Work, *, plan_id: int, digest: str, verdict: Verdict, reason: str, target_id: int | None) -> Decision:
    """Keep the actor's decision about the revision of that digest, and bring the plan's state along.

    Raises NotFoundError, NotAllowedError to its author, MovedMeanwhileError where the plan was edited or is not in review.
    """
    plan = reach.plan(work, plan_id, Permission.DECIDE, held=True)
    target = reach.target_of_plan(work, plan, target_id)
    revision = _shown(work, plan, digest)
    facts = load_facts(work.session, revision_id=revision.id, target_id=target.id, now=work.now)
    _check(work, plan, facts, verdict)
    standing = _same_again(facts, work.actor.person_id, verdict, reason)
    if standing is not None:
        return work.session.get_one(Decision, standing)
    decision = reviews.decide(
        work.session,
        revision=revision,
        target_id=target.id,
        person_id=work.actor.person_id,
        verdict=verdict,
        reason=reason,
        evidence=facts.evidence,
        now=work.now,
    )
    if target.id == plan.target_id:
        settle(work, plan, target, revision)
    work.note(
        "approve_plan" if verdict is Verdict.APPROVE else "request_changes",
        "plan",
        plan.id,
        project_id=plan.project_id,
        revision=revision.number,
        digest=revision.digest,
        target=target.name,
        evidence=decision.evidence,
        reason=reason,
    )
    return decision


def settle(work: Work, plan: Plan, target: Target, revision: PlanRevision) -> None:
    """Put a plan that is in review into the state that its standing decisions add up to."""
    facts = load_facts(work.session, revision_id=revision.id, target_id=target.id, now=work.now)
    count = tally(facts.decisions, policy=facts.policy, risk=facts.risk, authors=facts.authors, evidence=facts.evidence)
    if count.objections:
        plan.state = PlanState.REJECTED
    else:
        plan.state = PlanState.APPROVED if count.enough else PlanState.IN_REVIEW
    plan.updated_at = work.now
    work.session.flush()


def _shown(work: Work, plan: Plan, digest: str) -> PlanRevision:
    revision = plans.current(work.session, plan)
    if revision.digest != digest:
        raise MovedMeanwhileError(
            f"The plan was edited: revision {revision.number} is not what your page showed.",
            hint="Load the page again and look at what changed.",
        )
    return revision


def _check(work: Work, plan: Plan, facts: Facts, verdict: Verdict) -> None:
    if work.actor.person_id in facts.authors or not work.actor.person_id:
        raise NotAllowedError(
            "You wrote this revision: its author's own decision does not count.", hint="Ask somebody else to look at it."
        )
    role = work.actor.role_in(plan.project_id)
    if role is None or not role.includes(facts.policy.approver_role):
        raise NotAllowedError(
            f"In {facts.environment}, plans are decided on by people with the role {facts.policy.approver_role.value}.",
            hint="An admin of the project can give it to you under People.",
        )
    if plan.state in {PlanState.DRAFT, PlanState.ARCHIVED}:
        raise MovedMeanwhileError(
            f"The plan is {'a draft' if plan.state is PlanState.DRAFT else 'archived'}: nobody asked for a review.",
            hint="Its author can ask for one.",
        )
    if verdict is Verdict.APPROVE and facts.analysis_id is None:
        raise MovedMeanwhileError(
            f"This revision is not analysed for {facts.target} yet: nobody can know what they would approve.",
            hint="Wait for the analysis, or start it on the plan's page.",
        )


def _same_again(facts: Facts, person_id: int, verdict: Verdict, reason: str) -> int | None:
    """The standing decision that the same form, sent twice, would only repeat."""
    for decision in facts.decisions:
        if decision.person_id == person_id and (decision.verdict, decision.reason) == (verdict.value, reason):
            return decision.id if decision.evidence == facts.evidence else None
    return None
