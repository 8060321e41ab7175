"""Plans and their immutable revisions, and what was found out about each: analyses and rehearsals."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, Numbered, Word, moment, one_of
from app.store.words import JobState, PlanState


class Plan(Numbered, Base):
    """A change that a team wants to make: the name of a chain of revisions."""

    __tablename__ = "plans"
    __table_args__ = (
        one_of("state", PlanState),
        Index(None, "project_id", "updated_at"),
        Index(None, "target_id"),
    )

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    #: where it is meant to run; staging runs of the same revision go elsewhere
    target_id: Mapped[int | None] = mapped_column(ForeignKey("targets.id"))
    state: Mapped[PlanState] = mapped_column(Word(PlanState), server_default="draft")
    current_revision_id: Mapped[int | None] = mapped_column(ForeignKey("plan_revisions.id", use_alter=True))
    created_at: Mapped[datetime] = moment()
    updated_at: Mapped[datetime] = moment()


class PlanRevision(Numbered, Base):
    """The content of a plan, never changed (a trigger refuses it)."""

    __tablename__ = "plan_revisions"
    __table_args__ = (UniqueConstraint("plan_id", "number"), Index(None, "digest"))

    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    #: from 1 within the plan
    number: Mapped[int]
    #: plan.model.Plan.digest()
    digest: Mapped[str]
    #: plan.model.Plan.as_json()
    document: Mapped[dict[str, Any]]
    #: what was imported, word for word, where it was one text
    source_text: Mapped[str | None]
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = moment()
    note: Mapped[str] = mapped_column(server_default="")


class Analysis(Numbered, Base):
    """The risk of one revision, judged against a snapshot of a target, or without one."""

    __tablename__ = "analyses"
    __table_args__ = (
        one_of("state", JobState),
        Index(None, "revision_id", "target_id"),
        Index(
            "uq_analyses_open",
            "revision_id",
            "target_id",
            unique=True,
            postgresql_where=text("state IN ('queued', 'running')"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    revision_id: Mapped[int] = mapped_column(ForeignKey("plan_revisions.id"))
    target_id: Mapped[int | None] = mapped_column(ForeignKey("targets.id"))
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("schema_snapshots.id"))
    state: Mapped[JobState] = mapped_column(Word(JobState), server_default="queued")
    #: analysis.report.Analysis.as_json()
    report: Mapped[dict[str, Any] | None]
    #: what else was found: who blocks, what the data says, who uses what changes; only pages that show it load it
    details: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    error: Mapped[dict[str, Any] | None]
    rules_version: Mapped[str | None]
    created_at: Mapped[datetime] = moment()
    finished_at: Mapped[datetime | None]


class Rehearsal(Numbered, Base):
    """What happened when one revision ran on a shadow of a target."""

    __tablename__ = "rehearsals"
    __table_args__ = (
        one_of("state", JobState),
        Index(None, "revision_id", "target_id"),
        Index(
            "uq_rehearsals_open",
            "revision_id",
            "target_id",
            unique=True,
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
    )

    revision_id: Mapped[int] = mapped_column(ForeignKey("plan_revisions.id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("targets.id"))
    state: Mapped[JobState] = mapped_column(Word(JobState), server_default="queued")
    #: also with the worker killed at every safe point
    crash_test: Mapped[bool] = mapped_column(server_default="false")
    #: the contract's "rehearse" document
    result: Mapped[dict[str, Any] | None]
    ok: Mapped[bool | None]
    error: Mapped[dict[str, Any] | None]
    schema_after_fingerprint: Mapped[str | None]
    created_at: Mapped[datetime] = moment()
    finished_at: Mapped[datetime | None]
