"""Work that a worker does once: queued at most once per subject, whoever asks and however often."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import NotFoundError
from app.store.once import insert_or_find
from app.store.tables.jobs import Job
from app.store.words import OPEN, JobKind, JobState


def get(session: Session, job_id: int) -> Job:
    """The job of that id.

    Raises NotFoundError.
    """
    job = session.get(Job, job_id)
    if job is None:
        raise NotFoundError("There is no such job.")
    return job


def queue(session: Session, kind: JobKind, subject_id: int, *, requested_by: int | None, now: datetime) -> Job:
    """The job of a kind for a subject that is to come: the open one where there is one already."""
    return insert_or_find(
        session,
        insert(Job).values(kind=kind, subject_id=subject_id, requested_by=requested_by, state=JobState.QUEUED, created_at=now),
        select(Job).where(Job.kind == kind, Job.subject_id == subject_id, Job.state.in_(OPEN)),
    )


def open_of(session: Session, kind: JobKind, subject_id: int) -> Job | None:
    """The job of a kind for a subject that is to come or under way."""
    return session.scalar(select(Job).where(Job.kind == kind, Job.subject_id == subject_id, Job.state.in_(OPEN)))
