"""What came out of a run: its verification, the figures before and after, and the monitoring checklist."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, Numbered, Word, moment, one_of
from app.store.words import ItemState, VerificationState, Window


class Verification(Numbered, Base):
    """The result of a run compared with what was planned."""

    __tablename__ = "verifications"
    __table_args__ = (one_of("state", VerificationState), Index(None, "run_id"))

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    state: Mapped[VerificationState] = mapped_column(Word(VerificationState))
    report: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = moment()


class MetricSnapshot(Numbered, Base):
    """Figures of pg_stat_* at one moment of a run's watch."""

    __tablename__ = "metric_snapshots"
    __table_args__ = (one_of("window", Window), Index(None, "run_id", "window"), Index(None, "target_id", "taken_at"))

    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("targets.id"))
    window: Mapped[Window] = mapped_column(Word(Window))
    taken_at: Mapped[datetime] = moment()
    content: Mapped[dict[str, Any]]
    #: compared with the run's "before"
    verdict: Mapped[dict[str, Any] | None]


class MonitoringItem(Base):
    """One item of the monitoring checklist of a run, evaluated on its window's schedule."""

    __tablename__ = "monitoring_items"
    __table_args__ = (one_of("window", Window), one_of("state", ItemState))

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    item_id: Mapped[str] = mapped_column(primary_key=True)
    window: Mapped[Window] = mapped_column(Word(Window), primary_key=True)
    state: Mapped[ItemState] = mapped_column(Word(ItemState), server_default="pending")
    figures: Mapped[dict[str, Any] | None]
    #: who set it by hand
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    note: Mapped[str] = mapped_column(server_default="")
    evaluated_at: Mapped[datetime | None]
