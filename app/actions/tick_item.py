"""Tick an item of the checklist that only a person can vouch for."""

from app.actions import reach, wording
from app.actions.load_readiness import checklist_of
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.review.ticks import PROVABLE
from app.store import plans, reviews, targets
from app.store.tables.reviews import Tick


def tick_item(work: Work, *, plan_id: int, item_id: str, note: str = "", target_id: int | None = None) -> Tick:
    """Tick an item for a target, under the actor's name; a standing tick stays as it is.

    Raises NotFoundError, NotAllowedError, InvalidInputError, MovedMeanwhileError for an item that ticks itself.
    """
    plan = reach.plan(work, plan_id, Permission.TICK, held=True)
    target = reach.target_of_plan(work, plan, target_id)
    item = next((item for item in checklist_of(targets.policy_of(work.session, target)) if item.id == item_id), None)
    if item is None:
        raise wording.refused("item_id", "The checklist of this environment has no such item.")
    if item.proof in PROVABLE:
        raise MovedMeanwhileError(
            f"'{item.text}' ticks itself as soon as it is true.", hint="See beside it what is missing, or override it by name."
        )
    standing = [tick for tick, _ in reviews.standing_ticks(work.session, plan.id, target.id) if tick.item_id == item.id]
    if standing:
        return standing[0]
    tick = Tick(
        plan_id=plan.id,
        revision_id=plans.current(work.session, plan).id,
        target_id=target.id,
        item_id=item.id,
        person_id=work.actor.person_id,
        note=wording.text(note),
        ticked_at=work.now,
    )
    work.session.add(tick)
    work.session.flush()
    work.note("tick_item", "plan", plan.id, project_id=plan.project_id, item=item.id, note=tick.note, target=target.name)
    return tick
