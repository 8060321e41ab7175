import threading
import time
from contextlib import closing

import pytest

from app.engine.heartbeat import Heartbeat
from app.run.journal import LeaseLostError
from app.steps.protocol import Interruption
from app.target.errors import StatementCancelledError
from app.target.session import Target
from tests.doubles.diary import Diary
from tests.doubles.waiting import until


def sleep_watched(target, heartbeat):
    heartbeat.watch(target.pid, "SELECT pg_sleep(30)")
    try:
        target.send("SELECT pg_sleep(30)")
    finally:
        heartbeat.watch(None, None)


def test_it_beats_every_third_of_the_lease_and_stops_with_the_block(database):
    diary = Diary()
    with Heartbeat(diary, database.dsn, lease_seconds=1.0):
        until(lambda: diary.beats >= 3)
    beats = diary.beats
    assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]
    assert diary.beats == beats


def test_a_statement_is_cancelled_when_the_lease_is_lost(database):
    diary = Diary()

    def lose():
        raise LeaseLostError("somebody else has it")

    with Target.connect(database.dsn, purpose="x") as target, Heartbeat(diary, database.dsn, lease_seconds=5) as heartbeat:
        diary.on_beat = lose
        began = time.monotonic()
        with pytest.raises(StatementCancelledError):
            sleep_watched(target, heartbeat)
        assert time.monotonic() - began < 2.5
        assert heartbeat.interrupted() == Interruption(reason="lease", pid=target.pid)
        with pytest.raises(LeaseLostError):
            heartbeat.confirm()


def test_a_journal_that_does_not_answer_counts_as_lost_after_the_lease_and_not_before(database):
    diary = Diary()

    def fail():
        raise ConnectionError("metadata database is away")

    with Target.connect(database.dsn, purpose="x") as target, Heartbeat(diary, database.dsn, lease_seconds=1.5) as heartbeat:
        diary.on_beat = fail
        began = time.monotonic()
        with pytest.raises(StatementCancelledError):
            sleep_watched(target, heartbeat)
        assert 1.4 < time.monotonic() - began < 5


def test_a_journal_that_comes_back_in_time_loses_nothing(database):
    diary, failures = Diary(), iter(range(2))

    def fail_twice():
        if next(failures, None) is not None:
            raise ConnectionError("metadata database is away")

    diary.on_beat = fail_twice
    with Heartbeat(diary, database.dsn, lease_seconds=3.0) as heartbeat:
        until(lambda: diary.beats >= 2)
        heartbeat.confirm()


def test_a_rest_ends_early_when_somebody_asks_to_stop(database):
    diary = Diary()
    with Heartbeat(diary, database.dsn, lease_seconds=3.0) as heartbeat:
        diary.ask = "pause"
        began = time.monotonic()
        heartbeat.rest(30)
        assert time.monotonic() - began < 3


def test_an_observer_that_can_not_connect_does_not_stop_the_beats(database):
    diary = Diary()
    with Heartbeat(diary, "host=127.0.0.1 port=1", lease_seconds=1.0) as heartbeat:
        heartbeat.watch(1, "SELECT 1")
        until(lambda: diary.beats >= 3)
        heartbeat.confirm()


def test_no_session_is_opened_for_statements_that_are_quick(database):
    with Target.connect(database.dsn, purpose="x") as target, Heartbeat(Diary(), database.dsn, lease_seconds=1.0) as heartbeat:
        heartbeat.watch(target.pid, "SELECT 1")
        target.send("SELECT 1")
        heartbeat.watch(None, None)
        assert database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'headgate observer'") == 0


def test_a_statement_that_waits_too_long_for_its_locks_is_cancelled_though_it_has_no_lock_timeout(database):
    database.execute("CREATE TABLE t (a int)")
    with (
        Target.connect(database.dsn, purpose="x", lock_timeout_ms=0) as target,
        closing(database.connect(autocommit=False)) as holder,
        Heartbeat(Diary(), database.dsn, lease_seconds=5) as heartbeat,
    ):
        holder.execute("LOCK TABLE t")
        heartbeat.watch(target.pid, "DROP TABLE t", lock_deadline_ms=300)
        with pytest.raises(StatementCancelledError):
            target.send("DROP TABLE t")
        why = heartbeat.interrupted()
        heartbeat.watch(None, None)
        assert heartbeat.waited_ms() > 300
        heartbeat.watch(target.pid, "SELECT 1")
        assert heartbeat.waited_ms() == 0
    assert (why.reason, why.held_a_lock) == ("locks", False)
