"""What was predicted and what happened: the memory that estimates learn from."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, Numbered, moment


class Estimate(Numbered, Base):
    """One statement of a run: how long it was to take and how long it took."""

    __tablename__ = "estimates"
    __table_args__ = (UniqueConstraint("run_id", "step_id", "statement"), Index(None, "target_id", "at"))

    target_id: Mapped[int] = mapped_column(ForeignKey("targets.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    step_id: Mapped[str]
    #: from 1 within the step
    statement: Mapped[int]
    command: Mapped[str]
    #: what it worked on, or named first
    relation: Mapped[str]
    #: a class of analysis.duration; None where it did work of several
    work: Mapped[str | None]
    #: of the heaps that it worked on, when it was predicted
    table_bytes: Mapped[int]
    low_ms: Mapped[float]
    expected_ms: Mapped[float]
    high_ms: Mapped[float]
    #: the wait for its lock included
    real_ms: Mapped[float]
    at: Mapped[datetime] = moment()
