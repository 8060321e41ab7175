"""The looks of a run's watch judged: the comparison and its verdict beside the newest look, and the monitoring checklist."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.monitoring.evidence import Evidence
from app.monitoring.figures import Snapshot
from app.monitoring.integrity import Integrity
from app.monitoring.watch import Look, Watch, judge_watch
from app.plan.model import Plan
from app.run.events import AttemptFailed, Event, LockNotGranted, StepFailed, StepFinished, decode
from app.store import snapshots
from app.store.tables.events import RunEvent
from app.store.tables.plans import PlanRevision
from app.store.tables.runs import Run
from app.store.tables.snapshots import MetricSnapshot
from app.store.words import ItemState, Window
from app.verification.report import Verification

#: the events that an item of the checklist looks at; a backfill's thousands of batches are not among them
_TELLING: tuple[type[Event], ...] = (StepFailed, StepFinished, LockNotGranted, AttemptFailed)


def judge_looks(session: Session, run: Run, *, newest: MetricSnapshot, integrity: Integrity | None, now: datetime) -> Watch:
    """Judge everything that is known of a run's watch, and keep it: the verdict with ``newest``, the items of the checklist."""
    watch = judge_watch(
        _looks(session, run.id),
        plan=Plan.from_json(session.get_one(PlanRevision, run.revision_id).document),
        evidence=Evidence(
            events=_events(session, run.id),
            run_state=run.state.value,
            verification=_verification(session, run.id),
            integrity=integrity,
        ),
        # right after the last step the run is still being verified
        finished_at=run.finished_at or now,
        now=now,
    )
    newest.verdict = _kept(watch)
    for judged in watch.judgements:
        snapshots.set_item(
            session,
            run.id,
            judged.item_id,
            Window(judged.window),
            state=ItemState(judged.state),
            figures=judged.as_json(),
            now=now,
        )
    return watch


def _kept(watch: Watch) -> dict[str, Any] | None:
    """The verdict's own keys, and the comparison that it was taken from under ``comparison``."""
    if watch.verdict is None or watch.comparison is None:
        return None
    return {**watch.verdict.as_json(), "comparison": watch.comparison.as_json()}


def _looks(session: Session, run_id: int) -> list[Look]:
    """The looks that a comparison is made of: all before the run, the first one after it, and the newest."""
    rows = snapshots.metrics(session, run_id)
    after = [row for row in rows if row.window is not Window.BEFORE]
    wanted = [row for row in rows if row.window is Window.BEFORE] + after[:1] + after[1:][-1:]
    return [Look(window=row.window.value, snapshot=Snapshot.from_json(row.content)) for row in wanted]


def _events(session: Session, run_id: int) -> tuple[Event, ...]:
    types = [event.type() for event in _TELLING]
    rows: Sequence[RunEvent] = session.scalars(
        select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.type.in_(types)).order_by(RunEvent.number)
    ).all()
    return tuple(decode(row.type, row.payload) for row in rows)


def _verification(session: Session, run_id: int) -> Verification | None:
    found = snapshots.newest_verification(session, run_id)
    return Verification.from_json(found.report) if found else None
