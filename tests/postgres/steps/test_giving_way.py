"""Who queues behind us is seen, counted, and given way to; who gives way to us is outlasted."""

import threading
import time
from dataclasses import replace

from app.engine.order import Finished, StepFailed
from app.run import events
from app.steps.errors import GaveWayTooOftenError
from app.steps.protocol import LockPolicy
from tests.doubles.diary import Diary
from tests.doubles.orders import QUICK, a_step, an_order, one_slice
from tests.doubles.waiting import until


def test_a_statement_that_others_queue_behind_gives_way_and_tries_again(database):
    database.execute("CREATE TABLE t (a int)")
    diary, result = Diary(), []
    # the first statement takes the lock, the second holds it while a reader queues
    order = an_order(
        database,
        a_step("s", sql="ALTER TABLE t ADD b int; SELECT pg_sleep(20) WHERE NOT EXISTS (SELECT FROM quiet);"),
        locks=LockPolicy(lock_timeout_ms=5000, queue_tolerance_ms=300, attempts=5, first_rest_ms=10, longest_rest_ms=10),
    )
    database.execute("CREATE TABLE quiet (a int)")

    def on_event(event):
        if isinstance(event, events.QueueYielded):
            database.execute("INSERT INTO quiet SELECT 1 WHERE false; DROP TABLE quiet; CREATE TABLE quiet AS SELECT 1 AS a")

    diary.on_event = on_event
    thread = threading.Thread(target=lambda: result.append(one_slice(order, diary)))
    thread.start()
    until(lambda: len(diary.of(events.StatementStarted)) >= 2)
    began = time.monotonic()
    assert database.value("SELECT count(*) FROM t") == 0, "the reader gets through"
    assert time.monotonic() - began < 5
    thread.join(10)
    assert isinstance(result[0], Finished)
    (yielded,) = diary.of(events.QueueYielded)
    assert yielded.waiting == 1
    assert yielded.held_ms >= 300


def test_giving_way_has_an_end(database):
    database.execute("CREATE TABLE t (a int)")
    result, done = [], threading.Event()
    order = an_order(
        database,
        a_step("s", sql="ALTER TABLE t ADD b int; SELECT pg_sleep(20);"),
        locks=LockPolicy(lock_timeout_ms=5000, queue_tolerance_ms=100, attempts=2, first_rest_ms=10, longest_rest_ms=10),
    )

    def read():
        with database.connect() as reader:
            while not done.is_set():
                reader.execute("SELECT count(*) FROM t")

    thread = threading.Thread(target=read)
    thread.start()
    try:
        result.append(one_slice(order))
    finally:
        done.set()
        thread.join(10)
    assert isinstance(result[0], StepFailed)
    assert isinstance(result[0].error, GaveWayTooOftenError)
    assert database.value("SELECT count(*) FROM information_schema.columns WHERE table_name = 't'") == 1


def test_a_long_statement_shows_who_it_blocks(database):
    database.execute("CREATE TABLE t (a int)")
    diary, result = Diary(), []
    order = an_order(
        database, a_step("s", sql="LOCK TABLE t; SELECT pg_sleep(60);"), locks=replace(QUICK, queue_tolerance_ms=60_000)
    )
    thread = threading.Thread(target=lambda: result.append(one_slice(order, diary)))
    thread.start()
    until(lambda: len(diary.of(events.StatementStarted)) == 2)
    reader = threading.Thread(target=lambda: database.rows("SELECT * FROM t"))
    reader.start()
    shown = until(lambda: next((gauge for gauge in list(diary.gauges) if gauge.blocking), None))
    assert "SELECT * FROM t" in shown.blocking[0]
    assert shown.pid == diary.of(events.StatementStarted)[0].pid
    diary.ask = "cancel"
    thread.join(10)
    reader.join(10)


def test_an_autovacuum_in_the_way_is_outlasted_though_the_limit_is_below_deadlock_timeout(database):
    database.execute(
        "CREATE TABLE t (a int) WITH (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_cost_delay = 100,"
        " autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_scale_factor = 0)"
    )
    database.execute("INSERT INTO t SELECT generate_series(1, 50000); DELETE FROM t")
    database.execute(f"ALTER DATABASE {database.name} SET deadlock_timeout = '300ms'")
    database.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
    database.execute("SELECT pg_reload_conf()")
    try:
        vacuums = "SELECT count(*) FROM pg_stat_progress_vacuum WHERE relid = 't'::regclass"
        until(lambda: database.value(vacuums), seconds=30)
        diary = Diary()
        order = an_order(
            database, a_step("s", sql="ALTER TABLE t ADD b int"), locks=replace(QUICK, lock_timeout_ms=100, attempts=3)
        )
        assert isinstance(one_slice(order, diary), Finished)
    finally:
        database.execute("ALTER SYSTEM RESET autovacuum_naptime")
        database.execute("SELECT pg_reload_conf()")
    assert diary.of(events.LockNotGranted), "the first attempt left the queue too early"
