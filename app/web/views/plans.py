"""Plans as lists show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.actions.work import Work
from app.run.states import RunState
from app.store.tables import Analysis as AnalysisRow
from app.store.tables import Decision, Environment, Person, Plan, PlanRevision, Project, Run, Target
from app.store.words import JobState, PlanState, Verdict
from app.web.views.paging import Paging
from app.web.views.visible import in_sight


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One plan in the list."""

    id: int
    name: str
    project: str
    state: PlanState
    #: the word of ``tones`` that says how it stands: its state, or that its approval no longer counts
    word: str
    revision: int
    risk: str | None
    target: str | None
    environment: str
    is_production: bool
    run_id: int | None
    run_state: str | None
    author: str
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFilter:
    """What the list is narrowed to."""

    q: str = ""
    state: str = ""
    project: str = ""


def plan_lines(work: Work, wanted: PlanFilter, number: int) -> tuple[list[PlanLine], Paging]:
    """One page of plans, those changed last first; archived ones only where they are asked for."""
    where = [in_sight(work.actor, Plan.project_id)]
    where.append(Plan.state == PlanState(wanted.state) if wanted.state in set(PlanState) else Plan.state != PlanState.ARCHIVED)
    if wanted.q:
        where.append(Plan.name.icontains(wanted.q, autoescape=True))
    if wanted.project.isdigit():
        where.append(Plan.project_id == int(wanted.project))
    total = work.session.scalar(select(func.count()).select_from(Plan).where(*where)) or 0
    page = Paging(number=max(1, number), total=total, word="plan")
    rows = work.session.execute(
        select(Plan, Project.name, Person.name, PlanRevision.number, Target.name, Environment.name, Environment.is_production)
        .join(Project, Project.id == Plan.project_id)
        .join(Person, Person.id == Plan.author_id)
        .outerjoin(PlanRevision, PlanRevision.id == Plan.current_revision_id)
        .outerjoin(Target, Target.id == Plan.target_id)
        .outerjoin(Environment, Environment.id == Target.environment_id)
        .where(*where)
        .order_by(Plan.updated_at.desc(), Plan.id.desc())
        .limit(page.per_page)
        .offset(page.offset)
    ).all()
    risks = _risks(work.session, [row[0] for row in rows])
    runs = _last_runs(work.session, [row[0].id for row in rows])
    stale = _stale(work.session, [row[0] for row in rows])
    return [_plan_line(tuple(row), risks, runs, stale) for row in rows], page


def _risks(session: Session, plans: list[Plan]) -> dict[int, str]:
    revisions = [plan.current_revision_id for plan in plans if plan.current_revision_id]
    rows = session.execute(
        select(AnalysisRow.revision_id, AnalysisRow.report["risk"].as_string())
        .ext(distinct_on(AnalysisRow.revision_id))
        .where(AnalysisRow.revision_id.in_(revisions), AnalysisRow.state == JobState.DONE)
        .order_by(AnalysisRow.revision_id, AnalysisRow.id.desc())
    )
    return {row[0]: row[1] for row in rows}


def _last_runs(session: Session, plan_ids: list[int]) -> dict[int, tuple[int, str]]:
    rows = session.execute(
        select(Run.plan_id, Run.id, Run.state)
        .ext(distinct_on(Run.plan_id))
        .where(Run.plan_id.in_(plan_ids))
        .order_by(Run.plan_id, Run.id.desc())
    )
    return {plan_id: (run_id, state.value) for plan_id, run_id, state in rows}


def _stale(session: Session, plans: list[Plan]) -> set[int]:
    """Approved plans that have not run yet, and whose target's schema is another one than what somebody approved."""
    return set(
        session.scalars(
            select(Plan.id)
            .join(Target, Target.id == Plan.target_id)
            .join(Decision, (Decision.revision_id == Plan.current_revision_id) & (Decision.target_id == Target.id))
            .where(
                Plan.id.in_([plan.id for plan in plans if plan.state is PlanState.APPROVED]),
                Decision.verdict == Verdict.APPROVE,
                Decision.dismissed_at.is_(None),
                Decision.evidence["catalog_fingerprint"].astext.is_distinct_from(Target.schema_fingerprint),
                ~exists().where(
                    Run.revision_id == Plan.current_revision_id,
                    Run.target_id == Target.id,
                    Run.state.in_((RunState.MONITORING, RunState.COMPLETED)),
                ),
            )
        )
    )


def _plan_line(row: tuple[Any, ...], risks: Mapping[int, str], runs: Mapping[int, tuple[int, str]], stale: set[int]) -> PlanLine:
    plan, project, author, revision, target, environment, is_production = row
    run_id, run_state = runs.get(plan.id, (None, None))
    return PlanLine(
        id=plan.id,
        name=plan.name,
        project=project,
        state=plan.state,
        word="not_approved_any_more" if plan.id in stale else plan.state.value,
        revision=revision or 0,
        risk=risks.get(plan.current_revision_id),
        target=target,
        environment=environment or "",
        is_production=bool(is_production),
        run_id=run_id,
        run_state=run_state,
        author=author,
        updated_at=plan.updated_at,
    )
