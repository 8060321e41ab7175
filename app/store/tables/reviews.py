"""The review of a revision: comments, decisions, ticks of the checklist, overrides."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, Numbered, Word, moment, one_of
from app.store.words import Verdict


class Comment(Numbered, Base):
    """A remark on a plan, one of its steps, or a line of a step's SQL; answers point to the first one of a thread."""

    __tablename__ = "comments"
    __table_args__ = (Index(None, "plan_id", "created_at"),)

    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("plan_revisions.id"))
    step_id: Mapped[str | None]
    #: from 1 within the step's SQL
    line: Mapped[int | None]
    body: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = moment()
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id"))


class Decision(Numbered, Base):
    """What one person decided about one revision for one target; at most one of a person stands."""

    __tablename__ = "decisions"
    __table_args__ = (
        one_of("verdict", Verdict),
        Index(
            "uq_decisions_standing",
            "revision_id",
            "target_id",
            "person_id",
            unique=True,
            postgresql_where=text("dismissed_at IS NULL"),
        ),
    )

    revision_id: Mapped[int] = mapped_column(ForeignKey("plan_revisions.id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("targets.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    verdict: Mapped[Verdict] = mapped_column(Word(Verdict))
    reason: Mapped[str] = mapped_column(server_default="")
    #: of the revision
    digest: Mapped[str]
    #: of everything the decision was bound to (review.evidence)
    evidence_digest: Mapped[str]
    #: review.evidence.Evidence as JSON, so that the page can say what moved since
    evidence: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = moment()
    dismissed_at: Mapped[datetime | None]
    dismissed_reason: Mapped[str | None]


class Tick(Numbered, Base):
    """An item of the checklist that counts as done, with its evidence; without a person it is Headgate's own."""

    __tablename__ = "ticks"
    __table_args__ = (
        Index(
            "uq_ticks_standing",
            "plan_id",
            "target_id",
            "item_id",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("plan_revisions.id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("targets.id"))
    item_id: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    note: Mapped[str] = mapped_column(server_default="")
    #: {"text": ..., "href": ...}
    evidence: Mapped[dict[str, Any] | None]
    ticked_at: Mapped[datetime] = moment()
    lapses_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None]


class Override(Numbered, Base):
    """A gate that a person opened by name although its condition was not met."""

    __tablename__ = "overrides"
    __table_args__ = (Index(None, "plan_id", "revision_id", "target_id", "gate", unique=True),)

    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("plan_revisions.id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("targets.id"))
    gate: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str]
    created_at: Mapped[datetime] = moment()
