"""A run's log: the newest lines for its page, what came after a number for the stream, and all of it in pages or as text."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.run.events import EVENTS, decode
from app.store.events import events_since
from app.store.tables.events import RunEvent
from app.web.views.run_events import EventLine, event_line

LINES_SHOWN = 50
#: decisions, people and states that are older than the lines shown: there for the filter
RARE_SHOWN = 30
LOG_PAGE = 200
#: what the filter offers, by the events' groups
GROUPS = (("", "All"), ("decision", "Decisions"), ("person", "People"), ("state", "States"))
_TEXT_CHUNK = 1000


def lines_after(session: Session, run_id: int, number: int) -> list[EventLine]:
    """The log's lines after a number, oldest first."""
    return [event_line(*numbered) for numbered in events_since(session, run_id, number)]


def newest_lines(session: Session, run_id: int) -> tuple[EventLine, ...]:
    """The newest lines, newest first, and behind them the newest rare ones, which only the filter shows."""
    shown = _lines(session, run_id, list(EVENTS), below=None, limit=LINES_SHOWN)
    if len(shown) < LINES_SHOWN:
        return tuple(shown)
    rare = [name for name, event in EVENTS.items() if event.group != "work"]
    older = _lines(session, run_id, rare, below=shown[-1].number, limit=RARE_SHOWN)
    return (*shown, *(replace(line, is_older=True) for line in older))


def log_page(session: Session, run_id: int, number: int, group: str) -> tuple[list[EventLine], bool]:
    """One page of the log, the newest first, of one group of events or of all; and whether older ones follow."""
    types = [name for name, event in EVENTS.items() if not group or event.group == group]
    rows = session.scalars(
        select(RunEvent)
        .where(RunEvent.run_id == run_id, RunEvent.type.in_(types))
        .order_by(RunEvent.number.desc())
        .limit(LOG_PAGE + 1)
        .offset((number - 1) * LOG_PAGE)
    ).all()
    return [event_line(row.number, row.at, decode(row.type, row.payload)) for row in rows[:LOG_PAGE]], len(rows) > LOG_PAGE


def as_text(session: Session, run_id: int) -> Iterator[str]:
    """The whole log as lines of text, the oldest first: number, moment, sentence, figure."""
    number = 0
    while lines := [event_line(*found) for found in events_since(session, run_id, number, limit=_TEXT_CHUNK)]:
        number = lines[-1].number
        yield "".join(_text(lines))


def _text(lines: Iterable[EventLine]) -> Iterator[str]:
    for line in lines:
        at = line.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        yield "\t".join((str(line.number), f"{at} UTC", line.text, line.figure)) + "\n"


def _lines(session: Session, run_id: int, types: list[str], *, below: int | None, limit: int) -> list[EventLine]:
    query = select(RunEvent.number, RunEvent.at, RunEvent.type, RunEvent.payload).where(RunEvent.run_id == run_id)
    query = query.where(RunEvent.type.in_(types))
    query = query if below is None else query.where(RunEvent.number < below)
    rows = session.execute(query.order_by(RunEvent.number.desc()).limit(limit))
    return [event_line(number, at, decode(name, payload)) for number, at, name, payload in rows]
