"""A run by real worker processes that is disturbed, and what must be true of data, catalog, ledger and events afterwards."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass

import psycopg

from app.client import ServerAwayError
from app.embedded.journey import Found
from app.embedded.process import Child
from app.plan.model import Phase, Plan, Step
from app.plan.writing import write_plan
from tests.chaos.stages import SETUP, Facts, facts, left_overs, steps
from tests.doubles.databases import Database
from tests.doubles.waiting import until
from tests.journey.theatre import ENDED, Theatre

WORKERS = ("worker", "worker-2")
RUN_SECONDS = 90


@dataclass(kw_only=True)
class Disturbed:
    """One run on one target."""

    house: Theatre
    database: Database
    target: int
    number: int
    plan: tuple[Step, ...]
    _connection: psycopg.Connection | None = None

    def own(self, query: str, *values: object) -> list[tuple]:
        """Rows of Headgate's own database, as soon as it answers."""

        def ask() -> list[tuple] | None:
            try:
                if self._connection is None:
                    self._connection = psycopg.connect(self.house.stack.postgres.dsn("headgate"), autocommit=True)
                return [("answered",), *self._connection.execute(query, values).fetchall()]
            except psycopg.OperationalError:
                self._connection = None
                return None

        return until(ask, seconds=30, every=0.05)[1:]

    def event_number(self) -> int:
        """The number of its newest event."""
        return int(self.own("SELECT event_number FROM runs WHERE id = %s", self.number)[0][0])

    def is_over(self) -> bool:
        """True once nothing more will happen by itself."""
        return self.state() in ENDED

    def state(self) -> str:
        """Its state, as its row says."""
        return str(self.own("SELECT state FROM runs WHERE id = %s", self.number)[0][0])

    def after_event(self, number: int) -> bool:
        """Wait for that event; False where the run was over before."""
        until(lambda: self.event_number() >= number or self.is_over(), seconds=RUN_SECONDS, every=0.01)
        return not self.is_over()

    def until_event(self, kind: str) -> None:
        """Wait for the first event of a type."""
        query = "SELECT count(*) FROM run_events WHERE run_id = %s AND type = %s"
        until(lambda: self.own(query, self.number, kind)[0][0], seconds=RUN_SECONDS, every=0.01)

    def holder(self) -> int:
        """The process that drives it now."""
        query = "SELECT owner FROM runs WHERE id = %s AND owner IS NOT NULL"
        return int(until(lambda: self.own(query, self.number), seconds=30, every=0.01)[0][0].rpartition(":")[2])

    def worker_of(self, pid: int) -> Child:
        """The worker that a process belongs to: it leads the process group."""
        group = os.getpgid(pid)
        return next(part for part in map(self.house.part, WORKERS) if part.pid == group)

    def end(self) -> Found:
        """The run at its good end."""

        def look() -> Found | None:
            with suppress(ServerAwayError):
                seen = self.house.run(self.number)
                return seen if seen["state"] in ENDED else None
            return None

        seen = until(look, seconds=RUN_SECONDS, every=0.1)
        assert seen["state"] == "monitoring", (seen["state"], seen["reason"])
        return seen


def begun(house: Theatre, database: Database, *, setup: str = SETUP, plan: tuple[Step, ...] = ()) -> Disturbed:
    """A run that was started a moment ago."""
    database.execute(setup)
    target = house.target(database.dsn)
    content = plan or steps()
    text = write_plan(Plan(name="Chaos", phases=(Phase(name="expand", steps=content),)))
    number = house.start(house.plan(target, plan=text))
    return Disturbed(house=house, database=database, target=target, number=number, plan=content)


def kill(worker: Child) -> None:
    """SIGKILL to the worker and all its processes, as a machine that loses its power; then it is started again."""
    assert worker.pid is not None
    os.killpg(worker.pid, signal.SIGKILL)
    worker.process.wait()
    worker.start()


def assert_exactly_once(run: Disturbed, expected: Facts) -> None:
    """Data, catalog, ledger, events and rows agree: everything happened once, and nothing of ours is left."""
    found = facts(run.database)
    assert found == expected
    until(lambda: not left_overs(run.database), seconds=10)
    assert_told(run)


def assert_told(run: Disturbed) -> None:
    """The ledger, the events and the rows of the steps tell the same story."""
    every = sorted(step.id for step in run.plan)
    key = run.own("SELECT key FROM runs WHERE id = %s", run.number)[0][0]
    ledger = run.database.rows(
        "SELECT step FROM headgate.unit WHERE run = %s AND unit = 0 AND state = 'done' ORDER BY step", [key]
    )
    assert [step for (step,) in ledger] == every
    assert run.database.value("SELECT count(*) FROM headgate.unit WHERE run = %s AND state <> 'done'", [key]) == 0
    assert run.own("SELECT DISTINCT state FROM run_steps WHERE run_id = %s", run.number) == [("succeeded",)]
    numbers = [number for (number,) in run.own("SELECT number FROM run_events WHERE run_id = %s ORDER BY number", run.number)]
    assert numbers == list(range(1, len(numbers) + 1))
    told = run.own("SELECT payload ->> 'step' FROM run_events WHERE run_id = %s AND type = 'step_finished'", run.number)
    assert sorted(step for (step,) in told) == every
    fences = run.own("SELECT max(fence) FROM runs WHERE id = %s", run.number)[0][0]
    assert run.database.value("SELECT max(fence) FROM headgate.unit WHERE run = %s", [key]) <= fences
