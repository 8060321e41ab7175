import threading
import time
from contextlib import closing
from dataclasses import replace

from app.engine.order import Finished, StepFailed, StopReached
from app.run import events
from app.steps.errors import BlockedTooLongError
from app.target.errors import LockNotGrantedError, TransactionTooLongError
from tests.doubles.diary import Diary
from tests.doubles.orders import QUICK, a_step, an_order, one_slice, to_the_end
from tests.doubles.waiting import until


def test_a_young_lock_holder_is_waited_for_in_the_queue_and_named_when_it_stays(database):
    database.execute("CREATE TABLE t (a int)")
    diary = Diary()
    order = an_order(
        database, a_step("s", sql="ALTER TABLE t ADD b int"), locks=replace(QUICK, lock_timeout_ms=100, patience_ms=60_000)
    )
    with closing(database.connect(autocommit=False)) as holder:
        holder.execute("SELECT * FROM t")
        pid = holder.info.backend_pid

        def on_event(event):
            # the second attempt finds it gone
            if isinstance(event, events.LockNotGranted | events.BlockerAwaited):
                holder.rollback()

        diary.on_event = on_event
        assert isinstance(one_slice(order, diary), Finished)
    told = diary.of(events.LockNotGranted) + diary.of(events.BlockerAwaited)
    assert told
    assert str(pid) in told[0].blockers[0]
    assert "AccessShareLock on t" in told[0].blockers[0]


def test_a_lock_that_is_never_granted_fails_the_step_after_its_attempts(database):
    database.execute("CREATE TABLE t (a int)")
    diary = Diary()
    order = an_order(
        database,
        a_step("s", sql="ALTER TABLE t ADD b int", attempts=2),
        locks=replace(QUICK, lock_timeout_ms=1500, first_rest_ms=10),
    )
    with closing(database.connect(autocommit=False)) as holder:
        holder.execute("SELECT * FROM t")

        def on_event(event):
            # a transaction that always began just now is waited for in the queue
            if isinstance(event, events.StatementStarted | events.LockNotGranted | events.BlockerAwaited):
                holder.rollback()
                holder.execute("SELECT * FROM t")

        diary.on_event = on_event
        result = one_slice(order, diary)
    assert isinstance(result, StepFailed)
    assert isinstance(result.error, LockNotGrantedError)
    assert [event.attempt for event in diary.of(events.LockNotGranted)] == [1]


def test_an_old_transaction_is_waited_for_outside_the_queue_so_that_readers_go_on(database):
    database.execute("CREATE TABLE t (a int)")
    diary, result = Diary(), []
    order = an_order(database, a_step("s", sql="ALTER TABLE t ADD b int"), locks=replace(QUICK, lock_timeout_ms=100))
    with closing(database.connect(autocommit=False)) as holder:
        holder.execute("SELECT * FROM t")
        old = "SELECT clock_timestamp() - xact_start > interval '150 ms' FROM pg_stat_activity WHERE pid = %(pid)s"
        until(lambda: database.value(old, {"pid": holder.info.backend_pid}))
        thread = threading.Thread(target=lambda: result.append(one_slice(order, diary)))
        thread.start()
        until(lambda: diary.of(events.BlockerAwaited))
        until(lambda: len(diary.gauges) >= 2)
        assert database.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0
        assert not diary.of(events.StatementStarted)
        holder.rollback()
    thread.join(10)
    assert isinstance(result[0], Finished)
    assert not diary.of(events.LockNotGranted)


def test_patience_ends_and_is_counted_over_slices(database):
    database.execute("CREATE TABLE t (a int)")
    diary = Diary()
    order = an_order(
        database, a_step("s", sql="ALTER TABLE t ADD b int", patience_ms=1200), locks=replace(QUICK, lock_timeout_ms=50)
    )
    with closing(database.connect(autocommit=False)) as holder:
        holder.execute("SELECT * FROM t")
        old = "SELECT clock_timestamp() - xact_start > interval '100 ms' FROM pg_stat_activity WHERE pid = %(pid)s"
        until(lambda: database.value(old, {"pid": holder.info.backend_pid}))
        began = time.monotonic()
        result = to_the_end(order, diary, seconds=0.3)
    assert isinstance(result, StepFailed)
    assert isinstance(result.error, BlockedTooLongError)
    assert 1.0 < time.monotonic() - began < 8
    assert len(diary.of(events.BlockerAwaited)) == 1, "later slices go on waiting without saying it again"


def test_a_prepared_transaction_in_the_way_is_named(database):
    database.execute("CREATE TABLE t (a int)")
    with closing(database.connect(autocommit=False)) as holder:
        holder.execute("LOCK TABLE t")
        holder.execute("PREPARE TRANSACTION 'forgotten'")
        holder.commit()
    try:
        until(lambda: database.value("SELECT clock_timestamp() - prepared > interval '100 ms' FROM pg_prepared_xacts"))
        order = an_order(
            database, a_step("s", sql="ALTER TABLE t ADD b int", patience_ms=100), locks=replace(QUICK, lock_timeout_ms=50)
        )
        result = one_slice(order)
        assert isinstance(result, StepFailed)
        assert "prepared transaction" in result.error.message
    finally:
        database.execute("ROLLBACK PREPARED 'forgotten'")


def test_a_deadlock_and_a_serialization_failure_are_tried_again(database):
    database.execute("CREATE TABLE t (a int)")
    database.execute(
        """
        CREATE SEQUENCE tries;
        CREATE FUNCTION flaky() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('tries') < 3 THEN RAISE EXCEPTION 'not now' USING ERRCODE = CASE currval('tries') WHEN 1 THEN '40P01' ELSE '40001' END; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER flaky BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION flaky();
        """
    )
    diary = Diary()
    assert isinstance(one_slice(an_order(database, a_step("s", sql="INSERT INTO t VALUES (1)")), diary), Finished)
    assert [event.sqlstate for event in diary.of(events.AttemptFailed)] == ["40P01", "40001"]
    assert database.value("SELECT count(*) FROM t") == 1


def test_a_long_statement_is_cancelled_on_the_server_within_two_seconds_of_an_ask(database):
    diary, result = Diary(), []
    order = an_order(database, a_step("s", sql="CREATE TABLE t (a int); SELECT pg_sleep(60);"))
    thread = threading.Thread(target=lambda: result.append(one_slice(order, diary)))
    thread.start()
    until(
        lambda: database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%%'", {}
        )
    )
    began = time.monotonic()
    diary.ask = "pause"
    thread.join(10)
    assert time.monotonic() - began < 2.5
    assert isinstance(result[0], StopReached)
    assert diary.of(events.StatementCancelled)[0].step == "s"
    assert database.value("SELECT to_regclass('t')") is None


def test_a_statement_timeout_of_the_step_fails_it(database):
    result = one_slice(an_order(database, a_step("s", sql="SELECT pg_sleep(30)", statement_timeout_ms=100)))
    assert isinstance(result, StepFailed)
    assert result.error.sqlstate == "57014"


def test_a_plan_may_shorten_the_limits_but_not_lift_them(database):
    database.execute("CREATE TABLE seen (what text)")
    script = """
        SET lock_timeout = 0; INSERT INTO seen VALUES (current_setting('lock_timeout'));
        SET lock_timeout = '50ms'; INSERT INTO seen VALUES (current_setting('lock_timeout'));
        SET LOCAL lock_timeout = '1h'; INSERT INTO seen VALUES (current_setting('lock_timeout'));
    """
    assert isinstance(one_slice(an_order(database, a_step("s", sql=script))), Finished)
    assert database.rows("SELECT what FROM seen") == [("200ms",), ("50ms",), ("200ms",)]


def test_a_setting_of_an_earlier_unit_holds_after_a_restart_too(database):
    database.execute("CREATE SCHEMA elsewhere; CREATE TABLE t (a int)")
    diary = Diary()

    def on_event(event):
        if isinstance(event, events.UnitCommitted) and event.unit == 2:
            raise RuntimeError("killed")

    diary.on_event = on_event
    order = an_order(database, a_step("s", sql="SET search_path = elsewhere; VACUUM public.t; CREATE TABLE made (a int);"))
    try:
        one_slice(order, diary)
    except RuntimeError:
        assert isinstance(one_slice(replace(order, fence=2)), Finished)
    assert database.value("SELECT to_regclass('elsewhere.made')::text") == "elsewhere.made"


def test_a_transaction_timeout_of_the_step_ends_the_transaction_where_the_server_has_one(database):
    order = an_order(database, a_step("s", sql="CREATE TABLE t (a int); SELECT pg_sleep(30)", transaction_timeout_ms=200))
    result = one_slice(order)
    assert isinstance(result, StepFailed)
    assert (result.error.sqlstate, type(result.error)) == ("25P04", TransactionTooLongError)
    assert database.value("SELECT to_regclass('t')") is None


def test_the_table_that_a_foreign_key_points_at_is_waited_for_outside_the_queue_too(database):
    database.execute("CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE t (a int)")
    diary = Diary()
    sql = "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p NOT VALID"
    order = an_order(database, a_step("s", sql=sql), locks=replace(QUICK, lock_timeout_ms=50))
    with closing(database.connect(autocommit=False)) as writer:
        writer.execute("INSERT INTO p VALUES (1)")
        old = "SELECT clock_timestamp() - xact_start > interval '100 ms' FROM pg_stat_activity WHERE pid = %(pid)s"
        until(lambda: database.value(old, {"pid": writer.info.backend_pid}))
        diary.on_event = lambda event: writer.commit() if isinstance(event, events.BlockerAwaited) else None
        assert isinstance(one_slice(order, diary), Finished)
    assert "RowExclusiveLock on p" in diary.of(events.BlockerAwaited)[0].blockers[0]
    assert not diary.of(events.LockNotGranted)
