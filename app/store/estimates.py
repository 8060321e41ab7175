"""Predictions scored against what happened, and what a target has shown so far."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.analysis.calibration import MEMORY, Outcome
from app.analysis.duration import WORK_CLASSES, WorkClass
from app.store.tables.estimates import Estimate

#: outcomes that are looked through for MEMORY of each class
_LOOKED_AT = MEMORY * len(WORK_CLASSES) * 2


def keep(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keep what came out of statements; one that is told again (a retry, a second slice) has its last word."""
    for row in rows:
        session.execute(
            insert(Estimate)
            .values(**row)
            .on_conflict_do_update(
                index_elements=["run_id", "step_id", "statement"], set_={"real_ms": row["real_ms"], "at": row["at"]}
            )
        )


def newest(session: Session, target_id: int, *, limit: int = MEMORY) -> list[Estimate]:
    """The target's newest outcomes, the newest first."""
    query = select(Estimate).where(Estimate.target_id == target_id).order_by(Estimate.at.desc(), Estimate.id.desc())
    return list(session.scalars(query.limit(limit)))


def outcomes(session: Session, target_id: int, *, before: datetime | None = None) -> list[Outcome]:
    """What a target has shown, the newest first."""
    query = select(Estimate).where(Estimate.target_id == target_id).order_by(Estimate.at.desc(), Estimate.id.desc())
    rows = session.scalars((query if before is None else query.where(Estimate.at < before)).limit(_LOOKED_AT))
    return [outcome_of(row) for row in rows]


def outcome_of(row: Estimate) -> Outcome:
    """A row as the value that estimates learn from."""
    work: WorkClass | None = row.work if row.work in WORK_CLASSES else None
    return Outcome(work=work, table_bytes=row.table_bytes, expected_ms=row.expected_ms, real_ms=row.real_ms)
