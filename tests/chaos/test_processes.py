"""Real workers of a real stack are killed, stopped, called too often; the broker and Headgate's own database go away in mid-run."""

import os
import random
import signal
import sys
import threading

import psutil
import pytest
import redis
from celery import Celery

from tests.chaos.conftest import LEASE_SECONDS
from tests.chaos.processes import COUNTED, SLOW_COUNT, WORKERS, assert_counted_once, assert_exactly_once, begun, kill
from tests.doubles.databases import fresh_database
from tests.doubles.orders import a_step
from tests.doubles.waiting import until

pytestmark = [pytest.mark.chaos, pytest.mark.skipif(sys.platform != "linux", reason="reads and signals process groups")]

ROUNDS = int(os.environ.get("HEADGATE_CHAOS_ROUNDS", "2"))
KILLS = 3


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_workers_killed_at_random_instants_do_everything_once(house, database, calm, seed):
    dice = random.Random(seed)  # noqa: S311  # a round can be played again
    run = begun(house, database)
    for _ in range(KILLS):
        if not run.after_event(run.event_number() + dice.randrange(1, 12)):
            break
        threading.Event().wait(dice.random() * 0.2)
        victims = dice.choice([WORKERS, WORKERS[:1], WORKERS[1:]])
        for victim in victims:
            kill(house.part(victim))
    run.end()
    assert_exactly_once(run, calm.done)


def test_a_worker_that_is_stopped_in_mid_batch_and_continued_after_the_takeover_commits_nothing(house, database):
    run = begun(house, database, setup=COUNTED, plan=SLOW_COUNT)
    run.until_event("batch_committed")
    holder = run.holder()
    zombie = run.worker_of(holder)
    os.killpg(zombie.pid, signal.SIGSTOP)
    try:
        until(
            lambda: run.own("SELECT owner FROM runs WHERE id = %s", run.number)[0][0] != f"{os.uname().nodename}:{holder}",
            seconds=60,
        )
        taken_over = run.event_number()
        assert run.own("SELECT lease_until IS NOT NULL FROM runs WHERE id = %s", run.number)
        run.until_event("run_taken_over")
    finally:
        os.killpg(zombie.pid, signal.SIGCONT)
    run.end()
    assert run.event_number() > taken_over
    assert_counted_once(run)
    assert zombie.is_running()
    until(lambda: psutil.Process(zombie.pid).children(), seconds=60)


def test_wake_ups_that_are_delivered_three_times_change_nothing(house, database, calm):
    run = begun(house, database)
    bell = Celery(broker=house.stack.environment["HEADGATE_REDIS_URL"])
    bell.conf.task_default_queue = "headgate"
    while not run.is_over():
        for _ in range(3):
            bell.send_task("headgate.advance", args=[run.number], ignore_result=True)
        run.after_event(run.event_number() + 3)
    bell.close()
    run.end()
    assert_exactly_once(run, calm.done)


def test_a_broker_that_is_emptied_and_restarted_in_mid_run_costs_seconds_and_nothing_else(house, database):
    run = begun(house, database, setup=COUNTED, plan=SLOW_COUNT)
    run.until_event("batch_committed")
    broker = house.part("the broker")
    client = redis.Redis.from_url(house.stack.environment["HEADGATE_REDIS_URL"])
    client.flushall()
    client.close()
    broker.stop()
    broker.start()
    run.end()
    assert_counted_once(run)


def test_headgates_own_database_is_restarted_in_mid_run_fast_and_immediately(house, database):
    run = begun(house, database, setup=COUNTED, plan=SLOW_COUNT)
    for immediate in (False, True):
        run.until_next("batch_committed")
        house.stack.postgres.stop(immediate=immediate)
        house.stack.postgres.start()
    run.end()
    assert_counted_once(run)


def test_the_target_is_restarted_in_mid_batch_and_in_mid_index_fast_and_immediately(house, frail_server):
    setup = f"""
        {COUNTED};
        CREATE FUNCTION slow(n bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.002); RETURN n; END';
        CREATE TABLE few (n bigint); INSERT INTO few SELECT generate_series(1, 600)
    """
    build = a_step("build", sql="CREATE INDEX CONCURRENTLY few_slow ON few (slow(n))", undo="DROP INDEX CONCURRENTLY few_slow")

    def restart(*, immediate: bool) -> None:
        frail_server.stop(immediate=immediate)
        frail_server.start()

    with fresh_database(frail_server) as target:
        run = begun(house, target, setup=setup, plan=(*SLOW_COUNT, build))
        for immediate in (False, True):
            run.until_next("batch_committed")
            restart(immediate=immediate)
        for immediate in (False, True):
            until(lambda: target.rows("SELECT pid FROM pg_stat_progress_create_index WHERE phase LIKE 'building%%'"), seconds=60)
            restart(immediate=immediate)
        run.end()
        assert_counted_once(run)
        query = "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'few'::regclass"
        assert target.rows(query) == [("few_slow", True)]


def test_a_target_that_stays_away_is_waited_for_and_shown_as_such(house, frail_server):
    with fresh_database(frail_server) as target:
        # two slices and a gate: the target goes while nobody is connected, and comes back
        ask = a_step("ask", "gate", ask="The release is live")
        run = begun(house, target, setup=COUNTED, plan=(SLOW_COUNT[0], ask, SLOW_COUNT[2]))
        until(lambda: run.state() == "waiting_gate", seconds=30)
        frail_server.stop()
        try:
            house.press(run.number, "open-gate", step="ask", text="Live.")
            until(lambda: run.state() == "waiting_target", seconds=30)
            assert "does not answer" in house.run(run.number)["reason"]
        finally:
            frail_server.start()
        run.end()
        assert run.own("SELECT count(*) FROM run_events WHERE run_id = %s AND type = 'target_found'", run.number)[0][0] == 1
        assert target.value("SELECT n FROM once") == 11


def test_takeover_after_a_kill_is_a_matter_of_seconds(house, database):
    run = begun(house, database, setup=COUNTED, plan=SLOW_COUNT)
    run.until_event("batch_committed")
    holder = run.holder()
    os.kill(holder, signal.SIGKILL)
    # the lock died with the process: nobody waits for the lease
    query = "SELECT owner FROM runs WHERE id = %s AND owner NOT LIKE %s"
    until(lambda: run.own(query, run.number, f"%:{holder}") or run.is_over(), seconds=LEASE_SECONDS + 2, every=0.01)
    run.end()
    assert_counted_once(run)
