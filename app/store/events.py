"""Appending to a run's history: numbered without gaps, and told to whoever listens when the transaction commits."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from app.errors import NotFoundError
from app.run.events import Event, decode
from app.store.tables.events import RunEvent

#: The channel that live pages listen on; the payload is the run's id.
CHANNEL = "run_events"
#: One round trip: a step of a run appends five times.
_APPEND = text(
    """
    WITH run AS (
        UPDATE runs SET event_number = event_number + :count WHERE id = :run_id RETURNING id, event_number
    ), appended AS (
        INSERT INTO run_events (run_id, number, at, type, payload)
        SELECT run.id, run.event_number - :count + event.number, coalesce(:at, now()),
               event.said ->> 'type', event.said -> 'payload'
          FROM run, jsonb_array_elements(:events) WITH ORDINALITY AS event (said, number)
    )
    SELECT event_number, pg_notify(:channel, id::text) FROM run
    """
).bindparams(
    bindparam("run_id", type_=BigInteger),
    bindparam("count", type_=BigInteger),
    bindparam("at", type_=DateTime(timezone=True)),
    bindparam("events", type_=JSONB),
    bindparam("channel", CHANNEL),
)


def append_event(session: Session, run_id: int, event: Event, *, at: datetime | None = None) -> int:
    """Append one event and return its number; locks the run's row until the transaction ends."""
    return append_events(session, run_id, (event,), at=at)


def append_events(session: Session, run_id: int, events: tuple[Event, ...], *, at: datetime | None = None) -> int:
    """Append events in order, with one notification, and return the number of the last.

    Raises NotFoundError where there is no such run.
    """
    told = [{"type": event.type(), "payload": event.payload()} for event in events]
    # what this session has not said yet comes first: the run itself, perhaps
    session.flush()
    last = session.execute(_APPEND, {"run_id": run_id, "events": told, "count": len(told), "at": at}).scalar_one_or_none()
    if last is None:
        raise NotFoundError("There is no such run.")
    return int(last)


def notify(session: Session, run_id: int) -> None:
    """Tell the live pages that a run moved; delivered with the commit, once per transaction."""
    session.execute(select(func.pg_notify(CHANNEL, str(run_id))))


def events_since(session: Session, run_id: int, number: int = 0, *, limit: int = 1000) -> list[tuple[int, datetime, Event]]:
    """The run's events after a number, in order: number, moment, event."""
    rows = session.scalars(
        select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.number > number).order_by(RunEvent.number).limit(limit)
    )
    return [(row.number, row.at, decode(row.type, row.payload)) for row in rows]
