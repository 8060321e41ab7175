"""What tests of the review ask again and again: is it ready, what is missing, and one approval."""

from app.actions.approve_plan import approve_plan
from app.actions.load_readiness import load_readiness
from app.review.readiness import NotReady, Ready
from app.store import plans
from app.store.tables import Decision, Plan
from tests.doubles.world import World


def judged(world: World, plan: Plan, target=None) -> Ready | NotReady:
    with world.sessions() as session:
        found = plans.current(session, plans.get(session, plan.id))
        return load_readiness(session, revision_id=found.id, target_id=(target or world.production).id, now=world.clock.now())


def missing(world: World, plan: Plan, target=None) -> dict[str, str]:
    answer = judged(world, plan, target)
    return {found.gate: found.why for found in answer.missing} if isinstance(answer, NotReady) else {}


def approve(world: World, plan: Plan, who: str, **also) -> Decision:
    with world.work(who) as work:
        return approve_plan(work, plan_id=plan.id, digest=world.digest(plan), **also)
