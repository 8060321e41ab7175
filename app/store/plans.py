"""Plans, their immutable revisions, and what was found out about each."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import NotFoundError
from app.plan.model import Plan as Content
from app.store.once import insert_or_find
from app.store.tables.plans import Analysis, Plan, PlanRevision, Rehearsal
from app.store.words import OPEN, JobState, PlanState


def get(session: Session, plan_id: int) -> Plan:
    """The plan of that id.

    Raises NotFoundError.
    """
    plan = session.get(Plan, plan_id)
    if plan is None:
        raise NotFoundError("There is no such plan.")
    return plan


def writers(session: Session, plan_id: int) -> list[int]:
    """Everybody who wrote a revision of the plan."""
    return list(session.scalars(select(PlanRevision.created_by).where(PlanRevision.plan_id == plan_id).distinct()))


def revision(session: Session, revision_id: int) -> PlanRevision:
    """The revision of that id.

    Raises NotFoundError.
    """
    found = session.get(PlanRevision, revision_id)
    if found is None:
        raise NotFoundError("There is no such revision.")
    return found


def current(session: Session, plan: Plan) -> PlanRevision:
    """The plan's newest revision."""
    if plan.current_revision_id is None:
        raise NotFoundError("The plan has no content yet.")
    return revision(session, plan.current_revision_id)


def content(found: PlanRevision) -> Content:
    """The revision's content as values."""
    return Content.from_json(found.document)


def just_made(session: Session, digest: str, *, project_id: int, author_id: int, since: datetime) -> Plan | None:
    """The plan of that content that the person made since a moment."""
    return session.scalar(
        select(Plan)
        .join(PlanRevision, PlanRevision.id == Plan.current_revision_id)
        .where(
            Plan.project_id == project_id,
            Plan.author_id == author_id,
            Plan.created_at >= since,
            PlanRevision.digest == digest,
        )
        .order_by(Plan.id.desc())
        .limit(1)
    )


def add(
    session: Session,
    content: Content,
    *,
    project_id: int,
    author_id: int,
    target_id: int | None,
    source_text: str | None,
    note: str,
    now: datetime,
) -> tuple[Plan, PlanRevision]:
    """A new plan with its first revision."""
    plan = Plan(
        project_id=project_id,
        name=content.name,
        author_id=author_id,
        target_id=target_id,
        state=PlanState.DRAFT,
        created_at=now,
        updated_at=now,
    )
    session.add(plan)
    session.flush()
    return plan, add_revision(session, plan, content, created_by=author_id, source_text=source_text, note=note, now=now)


def add_revision(
    session: Session, plan: Plan, content: Content, *, created_by: int, source_text: str | None, note: str, now: datetime
) -> PlanRevision:
    """The next revision, which becomes the current one; the caller holds the plan's row."""
    number = session.scalar(select(func.max(PlanRevision.number)).where(PlanRevision.plan_id == plan.id)) or 0
    made = PlanRevision(
        plan_id=plan.id,
        number=number + 1,
        digest=content.digest(),
        document=content.as_json(),
        source_text=source_text,
        created_by=created_by,
        created_at=now,
        note=note,
    )
    session.add(made)
    session.flush()
    plan.current_revision_id, plan.name, plan.updated_at = made.id, content.name, now
    session.flush()
    return made


def queue_analysis(session: Session, revision_id: int, target_id: int | None, *, now: datetime) -> Analysis:
    """The analysis of a revision for a target that is to come: the open one where there is one already."""
    return insert_or_find(
        session,
        insert(Analysis).values(revision_id=revision_id, target_id=target_id, state=JobState.QUEUED, created_at=now),
        select(Analysis).where(
            Analysis.revision_id == revision_id, Analysis.target_id.is_not_distinct_from(target_id), Analysis.state.in_(OPEN)
        ),
    )


def queue_rehearsal(session: Session, revision_id: int, target_id: int, *, now: datetime, crash_test: bool = False) -> Rehearsal:
    """The rehearsal of a revision for a target that is to come: the open one where there is one already.

    One that no worker has begun gets the crash test too, where it is asked for.
    """
    row = insert_or_find(
        session,
        insert(Rehearsal).values(
            revision_id=revision_id, target_id=target_id, state=JobState.QUEUED, crash_test=crash_test, created_at=now
        ),
        select(Rehearsal).where(
            Rehearsal.revision_id == revision_id, Rehearsal.target_id == target_id, Rehearsal.state.in_(OPEN)
        ),
    )
    if crash_test and row.state is JobState.QUEUED:
        row.crash_test = True
    return row


def newest_analysis(
    session: Session, revision_id: int, target_id: int | None, *, state: JobState | None = None
) -> Analysis | None:
    """The newest analysis of a revision for a target, in a state where one is given."""
    query = (
        select(Analysis)
        .where(Analysis.revision_id == revision_id, Analysis.target_id.is_not_distinct_from(target_id))
        .order_by(Analysis.id.desc())
        .limit(1)
    )
    return session.scalar(query if state is None else query.where(Analysis.state == state))
