"""A backfill's batches over time, added up by the database: a run of a week is drawn from a hundred rows, not from a million."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Integer, cast, func, select
from sqlalchemy.orm import Session

from app.store.tables.events import RunEvent

_SLOWED, _SPED_UP = "backfill_slowed", "backfill_sped_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedChange:
    """A moment at which Headgate slowed a backfill down, or let it go again."""

    at: datetime
    #: the signal that passed its limit; "" where the signals are calm again
    signal: str


def rows_by_slot(session: Session, run_id: int, step_id: str, *, start: datetime, slot_seconds: int) -> dict[int, int]:
    """Slot number (from ``start``, ``slot_seconds`` long) -> rows that batches changed in it."""
    slot = cast(func.floor((func.date_part("epoch", RunEvent.at) - start.timestamp()) / slot_seconds), Integer)
    rows = session.execute(
        select(slot, func.sum(cast(RunEvent.payload["rows_changed"].astext, BigInteger)))
        .where(RunEvent.run_id == run_id, RunEvent.type == "batch_committed", RunEvent.payload["step"].astext == step_id)
        .group_by(slot)
    )
    return {int(number): int(total) for number, total in rows if number >= 0}


def speed_changes(session: Session, run_id: int, step_id: str, *, limit: int = 60) -> list[SpeedChange]:
    """When a backfill was slowed and let go, the newest ``limit`` of them, the oldest first."""
    rows = session.execute(
        select(RunEvent.at, RunEvent.type, RunEvent.payload["signal"].astext)
        .where(RunEvent.run_id == run_id, RunEvent.type.in_((_SLOWED, _SPED_UP)), RunEvent.payload["step"].astext == step_id)
        .order_by(RunEvent.number.desc())
        .limit(limit)
    ).all()
    return [SpeedChange(at=at, signal=signal or "" if name == _SLOWED else "") for at, name, signal in reversed(rows)]
