"""Take a tick back."""

from app.actions import reach, wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import reviews


def untick_item(work: Work, *, plan_id: int, item_id: str, reason: str = "", target_id: int | None = None) -> bool:
    """Withdraw the standing tick of an item; False where there was none.

    Raises NotFoundError, NotAllowedError.
    """
    plan = reach.plan(work, plan_id, Permission.TICK, held=True)
    target = reach.target_of_plan(work, plan, target_id)
    why = wording.text(reason, "reason") or f"Taken back by {work.actor.name}."
    withdrawn = reviews.withdraw_ticks(work.session, plan.id, [item_id], reason=why, now=work.now, target_id=target.id)
    if withdrawn:
        work.note("untick_item", "plan", plan.id, project_id=plan.project_id, item=item_id, reason=why, target=target.name)
    return bool(withdrawn)
