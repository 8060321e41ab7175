"""Decisions, ticks, overrides and comments of a review."""

from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from app.errors import NotFoundError
from app.review.approvals import Decided
from app.review.evidence import Evidence
from app.review.roles import Role
from app.store.tables.people import Membership, Person
from app.store.tables.plans import PlanRevision
from app.store.tables.reviews import Comment, Decision, Override, Tick
from app.store.words import Verdict


def standing_decisions(session: Session, revision_id: int, target_id: int, project_id: int) -> tuple[Decided, ...]:
    """Decisions on a revision for a target that nobody dismissed, each with its person's present role, the oldest first."""
    rows = session.execute(
        select(Decision, Person, Membership.role)
        .join(Person, Person.id == Decision.person_id)
        .outerjoin(Membership, and_(Membership.person_id == Person.id, Membership.project_id == project_id))
        .where(Decision.revision_id == revision_id, Decision.target_id == target_id, Decision.dismissed_at.is_(None))
        .order_by(Decision.id)
    )
    return tuple(
        Decided(
            id=decision.id,
            person_id=person.id,
            person=person.name,
            role=_role_now(person, role),
            verdict=decision.verdict.value,
            reason=decision.reason,
            at=decision.created_at,
            evidence=Evidence.from_json(decision.evidence),
        )
        for decision, person, role in rows
    )


def _role_now(person: Person, role: Role | None) -> Role | None:
    if not person.is_active:
        return None
    return Role.ADMIN if person.is_admin else role


def decide(
    session: Session,
    *,
    revision: PlanRevision,
    target_id: int,
    person_id: int,
    verdict: Verdict,
    reason: str,
    evidence: Evidence,
    now: datetime,
) -> Decision:
    """Keep a decision; an earlier one of the same person on the same revision and target gives way to it."""
    dismiss(session, revision_id=revision.id, target_id=target_id, person_id=person_id, reason="Decided anew.", now=now)
    decision = Decision(
        revision_id=revision.id,
        target_id=target_id,
        person_id=person_id,
        verdict=verdict,
        reason=reason,
        digest=revision.digest,
        evidence_digest=evidence.digest(),
        evidence=evidence.as_json(),
        created_at=now,
    )
    session.add(decision)
    session.flush()
    return decision


def dismiss(
    session: Session,
    *,
    reason: str,
    now: datetime,
    revision_id: int,
    target_id: int | None = None,
    person_id: int | None = None,
    verdict: Verdict | None = None,
) -> int:
    """Dismiss standing decisions on a revision, narrowed by what is given; returns how many."""
    query = update(Decision).where(Decision.revision_id == revision_id, Decision.dismissed_at.is_(None))
    for column, value in (
        (Decision.target_id, target_id),
        (Decision.person_id, person_id),
        (Decision.verdict, verdict),
    ):
        if value is not None:
            query = query.where(column == value)
    return len(session.scalars(query.values(dismissed_at=now, dismissed_reason=reason).returning(Decision.id)).all())


def standing_ticks(session: Session, plan_id: int, target_id: int | None = None) -> list[tuple[Tick, str]]:
    """Ticks of a plan that nobody withdrew, with the person's name; for one target where it is given."""
    query = (
        select(Tick, Person.name)
        .outerjoin(Person, Person.id == Tick.person_id)
        .where(Tick.plan_id == plan_id, Tick.withdrawn_at.is_(None))
        .order_by(Tick.id)
    )
    rows = session.execute(query if target_id is None else query.where(Tick.target_id == target_id))
    return [(tick, name or "headgate") for tick, name in rows]


def withdraw_ticks(
    session: Session, plan_id: int, item_ids: list[str], *, reason: str, now: datetime, target_id: int | None = None
) -> int:
    """Withdraw standing ticks of a plan's items, for one target where it is given; returns how many."""
    query = update(Tick).where(Tick.plan_id == plan_id, Tick.item_id.in_(item_ids), Tick.withdrawn_at.is_(None))
    if target_id is not None:
        query = query.where(Tick.target_id == target_id)
    return len(session.scalars(query.values(withdrawn_at=now, withdrawn_reason=reason).returning(Tick.id)).all())


def overrides(session: Session, revision_id: int, target_id: int) -> list[tuple[Override, str]]:
    """Gates of a revision that were opened by name for a target, with the person's name."""
    rows = session.execute(
        select(Override, Person.name)
        .join(Person, Person.id == Override.person_id)
        .where(Override.revision_id == revision_id, Override.target_id == target_id)
        .order_by(Override.id)
    )
    return [(override, name) for override, name in rows]


def comment(session: Session, comment_id: int) -> Comment:
    """The comment of that id.

    Raises NotFoundError.
    """
    found = session.get(Comment, comment_id)
    if found is None:
        raise NotFoundError("There is no such comment.")
    return found


def comments(session: Session, plan_id: int) -> list[tuple[Comment, str]]:
    """A plan's comments with their authors' names, the oldest first."""
    rows = session.execute(
        select(Comment, Person.name)
        .join(Person, Person.id == Comment.author_id)
        .where(Comment.plan_id == plan_id)
        .order_by(Comment.created_at, Comment.id)
    )
    return [(found, name) for found, name in rows]


def same_comment(session: Session, new: Comment, *, since: datetime) -> Comment | None:
    """The comment of the same person with the same words at the same place, made since a moment."""
    return session.scalar(
        select(Comment)
        .where(
            Comment.plan_id == new.plan_id,
            Comment.author_id == new.author_id,
            Comment.body == new.body,
            Comment.step_id.is_not_distinct_from(new.step_id),
            Comment.line.is_not_distinct_from(new.line),
            Comment.parent_id.is_not_distinct_from(new.parent_id),
            Comment.created_at >= since,
        )
        .limit(1)
    )
