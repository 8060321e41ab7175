"""What stands above every page of a plan: the seven stops, and the one next action with all that it is waiting for."""

from dataclasses import dataclass, field
from datetime import datetime

from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import targets
from app.store.tables import Plan, Target
from app.store.words import PlanState
from app.web.views import next_step, stops
from app.web.views.next_step import NextStep
from app.web.views.standing import Standing
from app.web.views.stops import Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChoice:
    """A target of the project that the plan may be looked at for."""

    id: int
    name: str
    environment: str
    is_production: bool
    is_meant: bool
    is_shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHead:
    """The head of a plan's pages."""

    id: int
    name: str
    project: str
    project_id: int
    state: PlanState
    #: (group, word) of what the plan is at: its run's state once there is one, else its own
    at: tuple[str, str]
    revision_id: int
    revision_number: int
    digest: str
    author: str
    updated_at: datetime
    target_id: int | None
    target: str | None
    environment: str
    is_production: bool
    choices: tuple[TargetChoice, ...]
    risk: str | None
    #: how many statements would wait, in a sentence; empty where no target was measured
    worst_moment: str
    stops: tuple[Stop, ...]
    next: NextStep
    is_moving: bool
    may_write: bool
    steps: int
    findings: int
    open_threads: int
    checklist_open: int
    revisions: int
    runs: int
    #: ``?target=7`` where it is not the plan's own
    query: str = field(default="")


def plan_head(work: Work, now: Standing) -> PlanHead:
    """What stands above the page."""
    plan, revision, target, environment = now.plan, now.revision, now.target, now.environment
    found = stops.all_stops(now)
    report = (now.analysis.report if now.analysis else None) or {}
    return PlanHead(
        id=plan.id,
        name=plan.name,
        project=now.around.project,
        project_id=plan.project_id,
        state=plan.state,
        at=_at(now),
        revision_id=revision.id,
        revision_number=revision.number,
        digest=revision.digest,
        author=now.around.author,
        updated_at=plan.updated_at,
        target_id=target.id if target else None,
        target=target.name if target else None,
        environment=environment.name if environment else "",
        is_production=environment.is_production if environment else False,
        choices=_choices(work, plan, target),
        risk=report.get("risk"),
        worst_moment=(report.get("worst_moment") or {}).get("sentence", ""),
        stops=found,
        next=next_step.next_step(work, now),
        is_moving=any(stop.css == "is-moving" for stop in found[:3]),
        may_write=work.actor.may(plan.project_id, Permission.WRITE_PLAN) and plan.state is not PlanState.ARCHIVED,
        steps=sum(1 for _ in now.content.steps()),
        findings=sum(len(statement["findings"]) for statement in report.get("statements", ())),
        open_threads=now.around.open_threads,
        checklist_open=sum(not item.is_ticked for item in now.readiness.checklist) if now.readiness and not now.done else 0,
        revisions=revision.number,
        runs=now.around.runs,
        query=now.query,
    )


def _at(now: Standing) -> tuple[str, str]:
    run = now.done or now.holding
    if run is not None:
        return ("run", run.state.value)
    if now.plan.state is PlanState.APPROVED and now.readiness is not None and not now.readiness.approvals.enough:
        return ("plan", "not_approved_any_more" if not now.query else "not_approved_here")
    return ("plan", now.plan.state.value)


def _choices(work: Work, plan: Plan, shown: Target | None) -> tuple[TargetChoice, ...]:
    return tuple(
        TargetChoice(
            id=target.id,
            name=target.name,
            environment=environment.name,
            is_production=environment.is_production,
            is_meant=target.id == plan.target_id,
            is_shown=shown is not None and target.id == shown.id,
        )
        for target, environment in targets.of_project(work.session, plan.project_id)
    )
