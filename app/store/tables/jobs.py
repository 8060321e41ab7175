"""Work that a worker does once, rung by the doorbell and swept when it was lost."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, Numbered, Word, moment, one_of
from app.store.words import JobKind, JobState


class Job(Numbered, Base):
    """One piece of such work; at most one of a kind is open for a subject."""

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("kind", JobKind),
        one_of("state", JobState),
        Index("uq_jobs_open", "kind", "subject_id", unique=True, postgresql_where=text("state IN ('queued', 'running')")),
    )

    kind: Mapped[JobKind] = mapped_column(Word(JobKind))
    #: test_target, snapshot_schema: a target; analyse: an analysis; rehearse: a rehearsal; backup: a backup;
    #: restore: a restore; take_metrics: a run; end_session: a session's ending
    subject_id: Mapped[int]
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    state: Mapped[JobState] = mapped_column(Word(JobState), server_default="queued")
    progress: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    #: how often a worker took it
    attempts: Mapped[int] = mapped_column(server_default="0")
    #: the worker that holds it
    owner: Mapped[str | None]
    created_at: Mapped[datetime] = moment()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
