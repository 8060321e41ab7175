"""What the list of runs is narrowed to: those in sight, of one state, on one target."""

from sqlalchemy import ColumnElement, func, select

from app.actions.work import Actor, Work
from app.run.states import RunState
from app.store.tables import Plan, Run, Target
from app.web.tones import tone
from app.web.views.visible import in_sight

STATES = [(state.value, tone("run", state).word) for state in RunState]


def wanted_runs(actor: Actor, *, state: str = "", target: str = "") -> list[ColumnElement[bool]]:
    """Conditions on ``run_lines``: runs of plans that the actor may see; a filter that names nothing is none."""
    where: list[ColumnElement[bool]] = [Run.plan_id.in_(select(Plan.id).where(in_sight(actor, Plan.project_id)))]
    if state in set(RunState):
        where.append(Run.state == RunState(state))
    if target.isdigit():
        where.append(Run.target_id == int(target))
    return where


def targets_that_ran(work: Work) -> list[tuple[int, str]]:
    """Every target in sight that a run was made for, by name."""
    has_run = select(Run.id).where(Run.target_id == Target.id).exists()
    rows = work.session.execute(
        select(Target.id, Target.name)
        .where(in_sight(work.actor, Target.project_id), has_run)
        .order_by(func.lower(Target.name), Target.id)
    )
    return [(number, name) for number, name in rows]
