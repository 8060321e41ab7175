"""Ask a worker to run a plan on a shadow of its target: forward, back, and forward again."""

from app.actions import queueing, reach
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import plans
from app.store.tables.plans import Rehearsal


def rehearse_plan(work: Work, *, plan_id: int, target_id: int | None = None, crash_test: bool = False) -> Rehearsal:
    """Queue the rehearsal of the newest revision, for the plan's own target or another; the open one is found again.

    ``crash_test``: also with the worker killed at every safe point, which takes two minutes more at most.

    Raises NotFoundError, NotAllowedError.
    """
    plan = reach.plan(work, plan_id, Permission.REHEARSE)
    target = reach.target_of_plan(work, plan, target_id)
    revision = plans.current(work.session, plan)
    rehearsal = queueing.rehearsal(work, revision.id, target.id, crash_test=crash_test)
    work.note(
        "rehearse_plan",
        "plan",
        plan.id,
        project_id=plan.project_id,
        revision=revision.number,
        target=target.name,
        crash_test=crash_test,
    )
    return rehearsal
