"""How the control of a run changed hands, and sessions on its target that a person had ended."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, Numbered, Word, moment, one_of
from app.store.words import EndingOutcome, HandoverState


class Handover(Numbered, Base):
    """One person asks for the control of a run, is given it, is declined it, or takes it with a reason."""

    __tablename__ = "handovers"
    __table_args__ = (
        one_of("state", HandoverState),
        Index("uq_handovers_open_ask", "run_id", "person_id", unique=True, postgresql_where=text("state = 'asked'")),
        Index("ix_handovers_to_review", "run_id", postgresql_where=text("state = 'taken' AND reviewed_at IS NULL")),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    state: Mapped[HandoverState] = mapped_column(Word(HandoverState))
    #: who drove the run then
    driver_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    #: who asks for the control, or has it since
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    #: why it was asked for, or taken
    note: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime] = moment()
    #: what the driver said
    answer: Mapped[str] = mapped_column(server_default="")
    answered_at: Mapped[datetime | None]
    #: what somebody else says of a control that was taken
    review: Mapped[str] = mapped_column(server_default="")
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    reviewed_at: Mapped[datetime | None]


class SessionEnding(Numbered, Base):
    """A person's wish to end one session on a run's target; pid and start name it for good."""

    __tablename__ = "session_endings"
    __table_args__ = (one_of("outcome", EndingOutcome), UniqueConstraint("run_id", "pid", "backend_start"))

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    pid: Mapped[int]
    backend_start: Mapped[datetime]
    #: what was seen of the session when it was asked for
    sentence: Mapped[str]
    reason: Mapped[str]
    asked_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime] = moment()
    outcome: Mapped[EndingOutcome] = mapped_column(Word(EndingOutcome), server_default="queued")
    #: what the target answered
    told: Mapped[str] = mapped_column(server_default="")
    done_at: Mapped[datetime | None]
