"""A plan as it stands for one target: everything that its pages are judged by, in as few questions as it takes."""

from dataclasses import dataclass, replace
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
from app.run.states import ACTIVE, RunState
from app.store import findings, plans
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
    SchemaSnapshot,
    Target,
    Verification,
)
from app.store.words import Direction


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
        """What stands between the plan and its run; nothing where the run is done."""
        return self.readiness.missing if isinstance(self.readiness, NotReady) and self.done is None else ()

    @property
    def policy(self) -> EnvironmentPolicy:
        """The rules of the target that is looked at; the defaults where there is none."""
        return self.facts.policy if self.facts else EnvironmentPolicy()

    @property
    def done(self) -> Run | None:
        """The run that did exactly this revision on this target, where what it did stands."""
        return self.run if self.run is not None and _has_done(self.run, self.revision) else None

    @property
    def holding(self) -> Run | None:
        """The run of the plan that holds the target now, or is being rolled back; of whichever revision."""
        is_open = self.run is not None and (self.run.state in ACTIVE or self.run.state is RunState.ROLLING_BACK)
        return self.run if is_open else None

    @property
    def query(self) -> str:
        """``?target=7`` where it is looked at for another target than the plan's own."""
        return f"?target={self.target.id}" if self.target and self.target.id != self.plan.target_id else ""


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
    run, verification = _newest_run(work, plan, target)
    facts = None
    if target is not None:
        known = findings.Known(analysis=rows.analysis, analysed_schema=rows.analysed_schema, rehearsal=rows.rehearsal)
        facts = load_facts(session, revision_id=revision.id, target_id=target.id, now=work.now, known=known)
        facts = _as_it_was(facts, run) if run is not None and _has_done(run, revision) else facts
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


def _has_done(run: Run, revision: PlanRevision) -> bool:
    return run.revision_id == revision.id and run.state in (RunState.MONITORING, RunState.COMPLETED)


def _as_it_was(facts: Facts, run: Run) -> Facts:
    """The facts with the schema that the run began with: what it changed itself takes nothing from what it was allowed by."""
    evidence = replace(facts.evidence, catalog_fingerprint=run.catalog_fingerprint)
    return replace(facts, evidence=evidence, analysis_is_old=False, rehearsal_is_old=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    plan: Plan
    revision: PlanRevision | None
    target: Target | None
    environment: Environment | None
    analysis: Analysis | None
    analysed_schema: str | None
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
            select(SchemaSnapshot.fingerprint).where(SchemaSnapshot.id == Analysis.snapshot_id).scalar_subquery(),
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
    plan, revision, place, environment, analysed, schema, rehearsed, project, author, runs, threads = row
    return _Rows(
        plan=plan,
        revision=revision,
        target=place,
        environment=environment,
        analysis=analysed,
        analysed_schema=schema,
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
