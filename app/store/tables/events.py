"""The history of every run: append only (a trigger refuses changes), numbered without gaps per run."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, moment


class RunEvent(Base):
    """One event of app/run/events.py."""

    __tablename__ = "run_events"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    #: from 1 within the run
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = moment()
    type: Mapped[str]
    payload: Mapped[dict[str, Any]]
