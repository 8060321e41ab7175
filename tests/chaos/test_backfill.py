"""A counter that must be 1 in every row: workers are killed, frozen, cut off, and the server crashes under them."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from app.run.events import Gauge, TargetFound
from tests.chaos.backfill_child import FENCED
from tests.doubles.databases import Database, fresh_database, running_server
from tests.postgres.backfill.running import FILL, backfill, order, run_to_end, users

pytestmark = pytest.mark.chaos

ROOT = Path(__file__).parents[2]
ROWS = 30_000
COUNT = {"table": "t", "set": "counter = counter + 1", "max_rate": 15_000}
ROUNDS = int(os.environ.get("HEADGATE_CHAOS_ROUNDS", "10"))


@pytest.fixture
def counters(database: Database) -> Database:
    database.execute(
        'CREATE TABLE t (a text COLLATE "C" NOT NULL, b uuid NOT NULL, counter int NOT NULL DEFAULT 0, PRIMARY KEY (a, b))'
    )
    database.execute(
        f"INSERT INTO t SELECT 'tenant-' || g % 7, md5(g::text)::uuid FROM generate_series(1, {ROWS}) g ORDER BY random()".encode()
    )
    database.execute("VACUUM (ANALYZE) t")
    return database


@contextmanager
def worker(database: Database, job: UUID, epoch: int, spec: dict) -> Iterator[subprocess.Popen[str]]:
    """A child process that walks; ended with us whatever happens."""
    command = [sys.executable, "-m", "tests.chaos.backfill_child", database.dsn, str(job), str(epoch), json.dumps(spec)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def hear(child: subprocess.Popen[str], lines: int) -> str:
    """Waits until the child has said so many lines; the last one is given back."""
    assert child.stdout is not None
    last = ""
    for _ in range(lines):
        last = child.stdout.readline()
    return last


def once(database: Database, rows: int = ROWS) -> None:
    assert database.rows("SELECT min(counter), max(counter), count(*) FROM t") == [(1, 1, rows)]


def no_sessions(database: Database) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'headgate%' AND datname = current_database()"
    with database.connect() as connection:
        while connection.execute(query.encode()).fetchone() != (0,):
            pass


def test_killed_workers_leave_every_row_counted_once(counters: Database) -> None:
    job, dice = uuid4(), random.Random(7)  # noqa: S311 (moments of death, not secrets)
    kills = 0
    for epoch in range(1, ROUNDS + 1):
        with worker(counters, job, epoch, {**COUNT, "max_rate": max(1000, 20_000 // ROUNDS)}) as child:
            said = hear(child, dice.randint(2, 6))
            child.send_signal(signal.SIGKILL)
            kills += not said.startswith("done")
    said = backfill(counters, {**COUNT, "max_rate": None}, job=job, epoch=ROUNDS + 1)
    assert kills == ROUNDS
    assert said.result["rows_changed"] == ROWS
    assert said.result["resumed"]
    once(counters)
    no_sessions(counters)


def test_a_frozen_worker_that_wakes_up_changes_nothing(counters: Database) -> None:
    job = uuid4()
    for epoch in (1, 3, 5):
        with worker(counters, job, epoch, COUNT) as frozen:
            hear(frozen, 3)
            frozen.send_signal(signal.SIGSTOP)
            with worker(counters, job, epoch + 1, {**COUNT, "max_rate": 4000}) as heir:
                hear(heir, 3)
                frozen.send_signal(signal.SIGCONT)
                # its session was ended, or its batch met a newer epoch
                assert frozen.wait(timeout=20) in {FENCED, 1}
                heir.send_signal(signal.SIGKILL)
    backfill(counters, {**COUNT, "max_rate": None}, job=job, epoch=9)
    once(counters)


def test_workers_that_fight_for_one_job_do_each_row_once(counters: Database) -> None:
    job = uuid4()
    with worker(counters, job, 1, COUNT) as one, worker(counters, job, 2, COUNT) as two, worker(counters, job, 3, COUNT) as three:
        codes = [child.wait(timeout=60) for child in (one, two, three)]
    assert codes[2] == 0
    once(counters)


def test_parallel_workers_that_are_killed_go_on_from_their_own_checkpoints(counters: Database) -> None:
    job = uuid4()
    spec = {**COUNT, "workers": 2}
    for epoch in (1, 2, 3):
        with worker(counters, job, epoch, {**spec, "max_rate": 4000}) as child:
            hear(child, 4)
            child.send_signal(signal.SIGKILL)
    backfill(counters, {**spec, "max_rate": None}, job=job, epoch=4)
    once(counters)


def test_a_crash_of_the_server_takes_batches_and_rows_back_together() -> None:
    with running_server(settings={"wal_writer_delay": "10s"}) as server, fresh_database(server) as database:
        users(database, 20_000)
        crashes: list[int] = []

        def crash(told: object) -> None:
            if isinstance(told, Gauge) and told.rows_done and len(crashes) < 3:
                crashes.append(told.rows_done)
                server.stop(immediate=True)
                server.start()

        spec = {"table": "users", "set": "counter = counter + 1", "max_rate": 12_000}
        said = run_to_end(order(database, spec), after=crash)
        assert len(crashes) == 3
        assert said.of(TargetFound)
        assert database.rows("SELECT min(counter), max(counter), count(*) FROM users") == [(1, 1, 20_000)]
        assert said.result["rows_changed"] == 20_000


def test_page_windows_survive_kills_too(database: Database) -> None:
    users(database, ROWS)
    job = uuid4()
    for epoch in range(1, 5):
        with worker(database, job, epoch, {**FILL, "set": "role = 'user', counter = counter + 1", "max_rate": 5000}) as child:
            hear(child, 4)
            child.send_signal(signal.SIGKILL)
    backfill(database, {**FILL, "set": "role = 'user', counter = counter + 1"}, job=job, epoch=9)
    assert database.rows("SELECT min(counter), max(counter), count(*) FROM users WHERE role = 'user'") == [(1, 1, ROWS)]


def test_backends_that_are_ended_in_mid_statement_change_nothing_twice(counters: Database) -> None:
    job = uuid4()
    end = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'headgate test backfill' AND datname = current_database() AND state = 'active'
    """
    # half a minute of work: nobody comes to the end before it is caught
    slow = {**COUNT, "max_rate": ROWS // 30}
    with worker(counters, job, 1, slow) as child, psycopg.connect(counters.dsn, autocommit=True) as admin:
        for _ in range(4):
            hear(child, 3)
            while not admin.execute(end).rowcount:
                assert child.poll() is None, f"it ended by itself: {child.stderr.read()}"
    backfill(counters, {**COUNT, "max_rate": None}, job=job, epoch=2)
    once(counters)
