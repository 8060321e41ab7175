"""A run by real worker processes that is disturbed, and what must be true of data, catalog, ledger and events afterwards."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from app.client import ServerAwayError
from app.embedded.journey import Found
from app.embedded.process import Child
from app.plan.model import Phase, Plan, Step
from app.plan.writing import write_plan
from tests.chaos.stages import SETUP, Facts, facts, left_overs, steps
from tests.doubles.databases import Database
from tests.doubles.orders import a_step
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

    def until_next(self, kind: str) -> None:
        """Wait for one more event of a type; on a busy machine the run may be over before it comes."""
        query = "SELECT count(*) FROM run_events WHERE run_id = %s AND type = %s"
        before = self.own(query, self.number, kind)[0][0]
        until(lambda: self.own(query, self.number, kind)[0][0] > before or self.is_over(), seconds=RUN_SECONDS, every=0.01)

    def holder(self) -> int:
        """The process that drives it now."""
        query = "SELECT owner FROM runs WHERE id = %s AND owner IS NOT NULL"
        return int(until(lambda: self.own(query, self.number), seconds=30, every=0.01)[0][0].rpartition(":")[2])

    def worker_of(self, pid: int) -> Child:
        """The worker that a process belongs to: it leads the process group."""
        group = os.getpgid(pid)
        children = (kept.part for kept in self.house.stack.supervisor.parts if isinstance(kept.part, Child))
        return next(child for child in children if child.pid == group)

    def is_held_by(self, worker: Child) -> bool:
        """True while a process of that worker drives it."""
        held = self.own("SELECT owner FROM runs WHERE id = %s AND owner IS NOT NULL", self.number)
        with suppress(ProcessLookupError):
            return bool(held) and os.getpgid(int(held[0][0].rpartition(":")[2])) == worker.pid
        return False

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


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A plan for a target that was analysed and may be started."""

    house: Theatre
    database: Database
    target: int
    number: int
    steps: tuple[Step, ...]

    def start(self) -> Disturbed:
        """A run of it."""
        number = self.house.start(self.number)
        return Disturbed(house=self.house, database=self.database, target=self.target, number=number, plan=self.steps)


def staged(
    house: Theatre, database: Database, *, setup: str = SETUP, plan: tuple[Step, ...] = (), dsn: str = "", **policy: Any
) -> Staged:
    """The plan on a prepared database, which Headgate reaches by ``dsn``."""
    database.execute(setup)
    target = house.target(dsn or database.dsn, **policy)
    content = plan or steps()
    text = write_plan(Plan(name="Chaos", phases=(Phase(name="expand", steps=content),)))
    number = house.plan(target, plan=text)
    return Staged(house=house, database=database, target=target, number=number, steps=content)


def begun(house: Theatre, database: Database, *, setup: str = SETUP, plan: tuple[Step, ...] = (), dsn: str = "") -> Disturbed:
    """A run that was started a moment ago."""
    return staged(house, database, setup=setup, plan=plan, dsn=dsn).start()


@contextmanager
def standing_still(*workers: Child) -> Iterator[None]:
    """SIGSTOP to the workers while the block runs, as if their machines did not get a turn."""
    for worker in workers:
        os.killpg(worker.pid or 0, signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in workers:
            os.killpg(worker.pid or 0, signal.SIGCONT)


def kill(worker: Child) -> None:
    """SIGKILL to the worker and all its processes, as a machine that loses its power; then it is started again."""
    assert worker.pid is not None
    os.killpg(worker.pid, signal.SIGKILL)
    worker.process.wait()
    worker.start()


#: slow enough to be caught in the middle, and a row that is done twice shows
COUNTED_ROWS = 4000
COUNTED = f"""
    CREATE TABLE counted (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0, role text);
    INSERT INTO counted (id) SELECT generate_series(1, {COUNTED_ROWS});
    CREATE TABLE once (n int NOT NULL);
    INSERT INTO once VALUES (0)
"""
SLOW_COUNT = (
    a_step("before", sql="UPDATE once SET n = n + 1", undo="UPDATE once SET n = n - 1"),
    a_step(
        "count",
        "backfill",
        undo="UPDATE counted SET n = n - 1",
        table="public.counted",
        set="n = n + 1",
        where="true",
        max_rate=1500,
    ),
    a_step("after", sql="UPDATE once SET n = n + 10", undo="UPDATE once SET n = n - 10"),
)


def assert_counted_once(run: Disturbed) -> None:
    """The slow count came to what it says, and nothing of ours is left."""
    assert run.database.rows("SELECT n, count(*) FROM counted GROUP BY n") == [(1, COUNTED_ROWS)]
    assert run.database.value("SELECT n FROM once") == 11
    until(lambda: not left_overs(run.database), seconds=10)
    assert_told(run)


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
