"""A plan with every kind of unit, what it must come to, and a driver in a process of its own that can be killed anywhere."""

import os
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from app.catalog.fingerprint import fingerprint
from app.catalog.schema import read_schema
from app.clock import SystemClock
from app.engine.execute import execute
from app.engine.order import Finished, RunOrder, SliceEnded, SliceResult, TargetAway
from app.plan.model import Step
from app.run.events import Event
from tests.doubles.databases import Database
from tests.doubles.diary import Diary
from tests.doubles.orders import a_step, an_order
from tests.doubles.waiting import until

ROWS = 3000

SETUP = f"""
    CREATE TABLE counted (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0, role text);
    INSERT INTO counted (id) SELECT generate_series(1, {ROWS});
    CREATE TABLE once (n int NOT NULL);
    INSERT INTO once VALUES (0);
    CREATE TABLE parts (a int) PARTITION BY LIST (a);
    CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);
    CREATE TYPE mood AS ENUM ('calm');
"""


def steps() -> tuple[Step, ...]:
    """Transactional groups, concurrent indexes, statements outside transactions, two backfills, checks."""
    return (
        a_step(
            "expand",
            sql="UPDATE once SET n = n + 1; ALTER TABLE counted ADD extra int; ALTER TYPE mood ADD VALUE 'busy'; UPDATE once SET n = n + 10;",
            undo="ALTER TABLE counted DROP extra; UPDATE once SET n = n - 11;",
        ),
        a_step(
            "walk",
            "backfill",
            undo="UPDATE counted SET role = NULL",
            table="public.counted",
            set="role = 'user'",
            where="role IS NULL",
        ),
        a_step("count", "backfill", undo="UPDATE counted SET n = n - 1", table="public.counted", set="n = n + 1", where="true"),
        a_step("look", "check", query="SELECT sum(n) FROM counted", expect=ROWS),
        a_step(
            "indexes",
            sql="CREATE INDEX CONCURRENTLY counted_role ON counted (role); REINDEX INDEX CONCURRENTLY counted_role; VACUUM counted;"
            " ALTER TABLE parts DETACH PARTITION part_1 CONCURRENTLY; UPDATE once SET n = n + 100;",
            undo="UPDATE once SET n = n - 100; ALTER TABLE parts ATTACH PARTITION part_1 FOR VALUES IN (1); DROP INDEX CONCURRENTLY counted_role;",
        ),
        a_step(
            "contract",
            sql="ALTER TABLE counted ALTER role SET DEFAULT 'user'; CREATE INDEX CONCURRENTLY doomed ON counted (n); DROP INDEX CONCURRENTLY doomed;"
            " UPDATE once SET n = n + 1000;",
            undo="ALTER TABLE counted ALTER role DROP DEFAULT; UPDATE once SET n = n - 1000;",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a database looks like after a run."""

    once: object
    counted: list[tuple]
    schema: str


def facts(database: Database) -> Facts:
    """What the run came to, as far as it can be seen in the data and the catalog."""
    with database.connect() as connection:
        schema = fingerprint(read_schema(connection))
    return Facts(
        once=database.value("SELECT n FROM once"),
        counted=database.rows("SELECT n, role, count(*) FROM counted GROUP BY 1, 2 ORDER BY 1, 2"),
        schema=schema,
    )


def left_overs(database: Database) -> list[tuple]:
    """Sessions, locks and invalid indexes of ours that are still there."""
    return database.rows(
        """
        SELECT 'session', application_name FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'headgate%'
        UNION ALL SELECT 'advisory lock', pid::text FROM pg_locks
         WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        UNION ALL SELECT 'invalid index', indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid
        """
    )


def to_the_end(order: RunOrder, diary: Diary | None = None, *, seconds: float = 60.0) -> SliceResult:
    """Slices that follow each other, as workers would drive them; a target that is away is knocked at again."""
    deadline = time.monotonic() + seconds
    while True:
        assert time.monotonic() < deadline, "the run does not come to an end"
        result = execute(order, diary or Diary(), clock=SystemClock(), deadline_monotonic=time.monotonic() + 10)
        if not isinstance(result, SliceEnded | TargetAway):
            return result
        order = replace(order, fence=order.fence + 1)


def undo_order(order: RunOrder) -> RunOrder:
    """The rollback of the whole run."""
    return replace(order, key=uuid4(), fence=1, direction="rollback", forward_key=order.key)


class Child:
    """A driver in a process of its own; its journal calls ``at`` with the number of each event before it is kept."""

    def __init__(self, order: RunOrder, at: Callable[[int, Event], None]) -> None:
        self._read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.close(self._read)
                diary, number = Diary(), iter(range(1, 1_000_000))
                diary.on_event = lambda event: at(next(number), event)
                result = execute(order, diary, clock=SystemClock(), deadline_monotonic=time.monotonic() + 60)
                os.write(write, pickle.dumps((type(result).__name__, len(diary.events))))
                code = 0
            finally:
                # nothing of pytest's may run in the copy
                os._exit(code)
        os.close(write)

    def wait(self) -> int:
        """How it ended: 0, or the negative number of the signal."""
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def told(self) -> tuple[str, int] | None:
        """The result's name and the number of events; None where it was killed."""
        with os.fdopen(self._read, "rb") as pipe:
            content = pipe.read()
        return pickle.loads(content) if content else None  # noqa: S301  # our own child wrote it

    def is_stopped(self) -> bool:
        """True while it stands still after SIGSTOP."""
        return Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "T"


def new_order(database: Database) -> RunOrder:
    """The run of the plan on a prepared database."""
    database.execute(SETUP)
    return an_order(database, *steps(), locks=an_order(database).locks, lease_seconds=5.0)


def assert_like(database: Database, expected: Facts) -> None:
    """Everything took effect once, and nothing of ours is left."""
    found = facts(database)
    assert found == expected
    until(lambda: not left_overs(database), seconds=5)


def finished(result: SliceResult) -> bool:
    """True for a run that came to its end; otherwise the assertion shows why."""
    assert isinstance(result, Finished), result
    return True
