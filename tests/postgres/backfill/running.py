"""Runs a backfill as a step would, on a test's database, and keeps what it said."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from app.backfill.definition import read_definition
from app.backfill.execute import run_backfill
from app.backfill.order import BackfillOrder, BackfillRun
from app.backfill.shards import Checkpoints
from app.clock import SystemClock
from app.run.events import Event, Gauge
from tests.doubles.databases import Database

SCHEMA = "headgate"


@dataclass
class Said:
    """The result and the events of one backfill."""

    result: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    gauges: list[Gauge] = field(default_factory=list)

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def order(
    database: Database,
    spec: Mapping[str, Any],
    *,
    job: UUID | None = None,
    epoch: int = 1,
    run: UUID | None = None,
    patience: float = 60.0,
) -> BackfillOrder:
    job = job or uuid4()
    stop = threading.Event()
    return BackfillOrder(
        dsn=database.dsn,
        schema=SCHEMA,
        run=run or job,
        job=job,
        epoch=epoch,
        step="fill",
        purpose="test backfill",
        definition=read_definition(spec),
        clock=SystemClock(),
        rest=lambda seconds: bool(stop.wait(seconds)) and None,
        patience_seconds=patience,
    )


def run_to_end(asked: BackfillOrder, *, after: Callable[[Event | Gauge], None] | None = None) -> Said:
    said = Said()
    running = run_backfill(asked)
    while True:
        try:
            told = next(running)
        except StopIteration as end:
            said.result = end.value
            return said
        (said.gauges if isinstance(told, Gauge) else said.events).append(told)
        if after is not None:
            after(told)


def backfill(database: Database, spec: Mapping[str, Any], **words: Any) -> Said:
    return run_to_end(order(database, spec, **words))


def until(running: BackfillRun, kind: type, count: int = 1) -> Any:
    """Goes on until the generator has said ``kind`` so many times; the walk then stands still."""
    while True:
        told = next(running)
        if isinstance(told, kind):
            count -= 1
            if count == 0:
                return told


def checkpoints(database: Database, job: UUID) -> tuple[Checkpoints, Any]:
    connection = database.connect()
    return Checkpoints(connection, SCHEMA, job), connection


def users(database: Database, rows: int, *, extra: str = "") -> None:
    database.execute(
        f"CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, filler text, role text, counter int NOT NULL DEFAULT 0{extra})"
    )
    database.execute(
        "INSERT INTO users (id, email, filler) SELECT g, 'u' || g || '@example.com', repeat('x', 60) FROM generate_series(1, %s) g",
        (rows,),
    )
    database.execute("VACUUM (ANALYZE) users")


FILL = {"table": "public.users", "set": "role = 'user'", "where": "role IS NULL"}
COUNT = {"table": "public.users", "set": "counter = counter + 1", "where": "true"}
