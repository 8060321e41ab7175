"""Appending to a run's history: numbered without gaps, and told to whoever listens when the transaction commits."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.errors import NotFoundError
from app.run.events import Event, decode
from app.store.tables.events import RunEvent
from app.store.tables.runs import Run

#: The channel that live pages listen on; the payload is the run's id.
CHANNEL = "run_events"


def append_event(session: Session, run_id: int, event: Event, *, at: datetime | None = None) -> int:
    """Append one event and return its number; locks the run's row until the transaction ends."""
    return append_events(session, run_id, (event,), at=at)


def append_events(session: Session, run_id: int, events: tuple[Event, ...], *, at: datetime | None = None) -> int:
    """Append events in order, with one notification, and return the number of the last.

    Raises NotFoundError where there is no such run.
    """
    last = session.scalar(
        update(Run)
        .where(Run.id == run_id)
        .values(event_number=Run.event_number + len(events))
        .returning(Run.event_number)
        .execution_options(synchronize_session=False)
    )
    if last is None:
        raise NotFoundError("There is no such run.")
    first = last - len(events) + 1
    for number, event in enumerate(events, start=first):
        session.add(RunEvent(run_id=run_id, number=number, type=event.type(), payload=event.payload(), at=at or func.now()))
    session.flush()
    notify(session, run_id)
    return last


def notify(session: Session, run_id: int) -> None:
    """Tell the live pages that a run moved; delivered with the commit, once per transaction."""
    session.execute(select(func.pg_notify(CHANNEL, str(run_id))))


def events_since(session: Session, run_id: int, number: int = 0, *, limit: int = 1000) -> list[tuple[int, datetime, Event]]:
    """The run's events after a number, in order: number, moment, event."""
    rows = session.scalars(
        select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.number > number).order_by(RunEvent.number).limit(limit)
    )
    return [(row.number, row.at, decode(row.type, row.payload)) for row in rows]
