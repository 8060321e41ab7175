"""What stands above every page of a plan: the seven stops, and the one next action with all that it is waiting for."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.actions import reach
from app.actions.load_readiness import load_facts
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import NotFoundError
from app.plan.model import Plan as Content
from app.review.facts import Facts
from app.review.policy import EnvironmentPolicy
from app.review.readiness import Missing, NotReady, Ready, readiness
from app.run.states import ACTIVE
from app.store import findings, plans, targets
from app.store.tables import (
    Analysis,
    Comment,
    Environment,
    Person,
    Plan,
    PlanRevision,
    Project,
    Rehearsal,
    Run,
    Target,
    Verification,
)
from app.store.words import Direction, PlanState
from app.web.views import next_step, stops
from app.web.views.next_step import NextStep
from app.web.views.stops import Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Names and counts that stand around a plan."""

    project: str
    author: str
    runs: int
    open_threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything about a plan for one target that its pages are judged by."""

    plan: Plan
    revision: PlanRevision
    content: Content
    around: Around
    target: Target | None
    environment: Environment | None
    analysis: Analysis | None
    rehearsal: Rehearsal | None
    facts: Facts | None
    readiness: Ready | NotReady | None
    run: Run | None
    verification: str | None
    now: datetime

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What stands between the plan and its run."""
        return self.readiness.missing if isinstance(self.readiness, NotReady) else ()

    @property
    def policy(self) -> EnvironmentPolicy:
        """The rules of the target that is looked at; the defaults where there is none."""
        return self.facts.policy if self.facts else EnvironmentPolicy()


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
    next: NextStep | None
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


def standing(work: Work, plan_id: int, target_id: int | None = None) -> Standing:
    """Load a plan as it stands for its own target, or for another one of its project.

    Raises NotFoundError, NotAllowedError.
    """
    session = work.session
    # kept in a name to the end: the session remembers rows only while somebody holds them
    rows = _rows(session, plan_id, target_id)
    plan = reach.plan(work, plan_id, Permission.VIEW)
    revision = plans.current(session, plan)
    wanted = target_id or plan.target_id
    target = reach.target_of_plan(work, plan, wanted) if wanted else None
    known = findings.Known(analysis=rows.analysis, rehearsal=rows.rehearsal)
    facts = load_facts(session, revision_id=revision.id, target_id=target.id, now=work.now, known=known) if target else None
    run, verification = _newest_run(work, plan, target)
    return Standing(
        plan=plan,
        revision=revision,
        content=plans.content(revision),
        around=rows.around,
        target=target,
        environment=rows.environment if target else None,
        analysis=rows.analysis,
        rehearsal=rows.rehearsal,
        facts=facts,
        readiness=readiness(facts) if facts else None,
        run=run,
        verification=verification,
        now=work.now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    plan: Plan
    revision: PlanRevision | None
    target: Target | None
    environment: Environment | None
    analysis: Analysis | None
    rehearsal: Rehearsal | None
    around: Around


def _rows(session: Session, plan_id: int, target_id: int | None) -> _Rows:
    """In one question what would be ten: the rows that the page is about, and what stands around them."""
    target = target_id or Plan.target_id
    of_both = Analysis.revision_id == Plan.current_revision_id, Analysis.target_id.is_not_distinct_from(target)
    analysis = select(func.max(Analysis.id)).where(*of_both).correlate(Plan).scalar_subquery()
    of_both = Rehearsal.revision_id == Plan.current_revision_id, Rehearsal.target_id == target
    rehearsal = select(func.max(Rehearsal.id)).where(*of_both).correlate(Plan).scalar_subquery()
    row = session.execute(
        select(
            Plan,
            PlanRevision,
            Target,
            Environment,
            Analysis,
            Rehearsal,
            Project.name,
            select(Person.name).where(Person.id == Plan.author_id).scalar_subquery(),
            select(func.count()).select_from(Run).where(Run.plan_id == Plan.id).scalar_subquery(),
            select(func.count())
            .select_from(Comment)
            .where(Comment.plan_id == Plan.id, Comment.parent_id.is_(None), Comment.resolved_at.is_(None))
            .scalar_subquery(),
        )
        .join(Project, Project.id == Plan.project_id)
        .outerjoin(PlanRevision, PlanRevision.id == Plan.current_revision_id)
        .outerjoin(Target, Target.id == target)
        .outerjoin(Environment, Environment.id == Target.environment_id)
        .outerjoin(Analysis, Analysis.id == analysis)
        .outerjoin(Rehearsal, Rehearsal.id == rehearsal)
        .where(Plan.id == plan_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError
    plan, revision, place, environment, analysed, rehearsed, project, author, runs, threads = row
    return _Rows(
        plan=plan,
        revision=revision,
        target=place,
        environment=environment,
        analysis=analysed,
        rehearsal=rehearsed,
        around=Around(project=project, author=author, runs=runs, open_threads=threads),
    )


def _newest_run(work: Work, plan: Plan, target: Target | None) -> tuple[Run | None, str | None]:
    """The run under way or else the newest one, and how its newest verification ended."""
    where = [Run.plan_id == plan.id, Run.direction == Direction.FORWARD]
    if target is not None:
        where.append(Run.target_id == target.id)
    verified = select(Verification.state).where(Verification.run_id == Run.id).order_by(Verification.id.desc()).limit(1)
    found = work.session.execute(
        select(Run, verified.scalar_subquery()).where(*where).order_by(Run.state.in_(ACTIVE).desc(), Run.id.desc()).limit(1)
    ).one_or_none()
    return (found[0], found[1].value if found[1] else None) if found else (None, None)


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
        checklist_open=sum(not item.is_ticked for item in now.readiness.checklist) if now.readiness else 0,
        revisions=revision.number,
        runs=now.around.runs,
        query=f"?target={target.id}" if target and target.id != plan.target_id else "",
    )


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
