"""What came out of a run: verification, figures before and after, the monitoring checklist."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.store.tables.snapshots import MetricSnapshot, MonitoringItem, Verification
from app.store.words import ItemState, Window


def newest_verification(session: Session, run_id: int) -> Verification | None:
    """The run's newest verification."""
    return session.scalar(select(Verification).where(Verification.run_id == run_id).order_by(Verification.id.desc()).limit(1))


def keep_metrics(
    session: Session,
    *,
    run_id: int | None,
    target_id: int,
    window: Window,
    content: Mapping[str, Any],
    verdict: Mapping[str, Any] | None,
    now: datetime,
) -> MetricSnapshot:
    """Keep figures of a target for one window of a run's watch."""
    snapshot = MetricSnapshot(
        run_id=run_id,
        target_id=target_id,
        window=window,
        taken_at=now,
        content=dict(content),
        verdict=None if verdict is None else dict(verdict),
    )
    session.add(snapshot)
    session.flush()
    return snapshot


def metrics(session: Session, run_id: int) -> list[MetricSnapshot]:
    """All figures of a run's watch, the oldest first."""
    return list(
        session.scalars(
            select(MetricSnapshot).where(MetricSnapshot.run_id == run_id).order_by(MetricSnapshot.taken_at, MetricSnapshot.id)
        )
    )


def newest_metrics(session: Session, run_id: int, window: Window) -> MetricSnapshot | None:
    """The newest figures of one window of a run's watch."""
    return session.scalar(
        select(MetricSnapshot)
        .where(MetricSnapshot.run_id == run_id, MetricSnapshot.window == window)
        .order_by(MetricSnapshot.taken_at.desc(), MetricSnapshot.id.desc())
        .limit(1)
    )


def set_item(
    session: Session,
    run_id: int,
    item_id: str,
    window: Window,
    *,
    state: ItemState,
    figures: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    """Note what Headgate found for an item of the monitoring checklist; what a person set stays."""
    values = {"state": state, "figures": None if figures is None else dict(figures), "evaluated_at": now}
    session.execute(
        insert(MonitoringItem)
        .values(run_id=run_id, item_id=item_id, window=window, **values)
        .on_conflict_do_update(
            index_elements=["run_id", "item_id", "window"], set_=values, where=MonitoringItem.person_id.is_(None)
        )
    )


def items(session: Session, run_id: int) -> list[MonitoringItem]:
    """The run's monitoring checklist."""
    return list(
        session.scalars(
            select(MonitoringItem)
            .where(MonitoringItem.run_id == run_id)
            .order_by(MonitoringItem.window, MonitoringItem.item_id)
            .execution_options(populate_existing=True)
        )
    )
