import threading
from contextlib import closing
from dataclasses import replace

import pytest

from app.backfill.ledger import Ledger
from app.backfill.ledger_tables import ensure_ledger
from app.engine.order import Fenced, Finished, StepFailed, StopReached
from app.run import events
from app.steps.units import units_of
from app.target.session import Target
from tests.doubles.diary import Diary
from tests.doubles.orders import QUICK, a_step, an_order, one_slice
from tests.doubles.waiting import until

CREATE = "CREATE INDEX CONCURRENTLY i ON t (a)"


@pytest.fixture
def table(database):
    database.execute("CREATE TABLE t (a int); INSERT INTO t SELECT g FROM generate_series(1, 1000) g")
    return database


def leave_invalid(database, sql="CREATE UNIQUE INDEX CONCURRENTLY i ON t ((a / 1000000))"):
    with database.connect() as connection, pytest.raises(Exception, match="unique"):
        connection.execute(sql)
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") is False


def intend(order, sql, unit=1):
    """What a worker leaves that was killed between intent and done."""
    with Target.connect(order.dsn, purpose="x") as target:
        ensure_ledger(target, order.ledger_schema)
        ledger = Ledger(schema=order.ledger_schema, run=order.key, fence=order.fence, direction="forward")
        ledger.take(target, order.label)
        ledger.begin_step(target, "s", "d", is_recovery=False, leaves_units=True)
        ledger.record_intent(target, "s", unit, units_of(sql)[unit - 1].digest)


def is_valid(database):
    return database.value("SELECT bool_and(indisvalid) FROM pg_index WHERE indexrelid = to_regclass('i')")


def test_an_invalid_leftover_is_dropped_and_the_index_built(table):
    leave_invalid(table)
    diary = Diary()
    assert isinstance(one_slice(an_order(table, a_step("s", sql=CREATE)), diary), Finished)
    assert is_valid(table)
    assert [event.outcome for event in diary.of(events.UnitReconciled)] == ["again"]


def test_if_not_exists_over_an_invalid_index_is_not_success(table):
    leave_invalid(table)
    order = an_order(table, a_step("s", sql="CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)"))
    assert isinstance(one_slice(order), Finished)
    assert is_valid(table)
    assert "unique" not in str(table.value("SELECT pg_get_indexdef('i'::regclass)")).lower()


def test_if_not_exists_in_a_transaction_is_no_success_over_an_invalid_index_either(table):
    leave_invalid(table)
    result = one_slice(an_order(table, a_step("s", sql="ALTER TABLE t ADD b int; CREATE INDEX IF NOT EXISTS i ON t (a)")))
    assert isinstance(result, StepFailed)
    assert "public.i is INVALID" in result.error.message
    assert "DROP INDEX CONCURRENTLY public.i" in result.error.hint
    assert table.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b'") == 0


def test_an_index_that_was_built_before_the_worker_died_is_found_done(table):
    order = an_order(table, a_step("s", sql=CREATE))
    intend(order, CREATE)
    table.execute(CREATE)
    oid = table.value("SELECT 'i'::regclass::oid")
    diary = Diary()
    assert isinstance(one_slice(replace(order, fence=2), diary), Finished)
    assert table.value("SELECT 'i'::regclass::oid") == oid
    assert [event.outcome for event in diary.of(events.UnitReconciled)] == ["done"]
    assert not diary.of(events.StatementStarted)


def test_an_index_that_the_dead_worker_left_invalid_is_built_again(table):
    order = an_order(table, a_step("s", sql=CREATE))
    intend(order, CREATE)
    leave_invalid(table)
    assert isinstance(one_slice(replace(order, fence=2)), Finished)
    assert is_valid(table)


def test_an_index_of_somebody_else_by_that_name_is_the_servers_to_refuse(table):
    table.execute("CREATE INDEX i ON t (a)")
    order = an_order(table, a_step("s", sql=CREATE))
    result = one_slice(order)
    assert isinstance(result, StepFailed)
    assert result.error.sqlstate == "42P07"
    again = one_slice(replace(order, fence=2))
    assert isinstance(again, StepFailed), "the first attempt's intent is no claim to an index that was refused to us"
    assert again.error.sqlstate == "42P07"


def test_a_unique_index_that_meets_duplicates_fails_and_leaves_nothing_invalid(table):
    table.execute("INSERT INTO t VALUES (1)")
    result = one_slice(an_order(table, a_step("s", sql="CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)")))
    assert isinstance(result, StepFailed)
    assert (result.error.sqlstate, result.error.detail) == ("23505", "Key (a)=(1) is duplicated.")
    assert table.value("SELECT to_regclass('i')") is None


def test_an_old_snapshot_is_waited_for_before_the_build_and_named(table):
    diary, result = Diary(), []
    order = an_order(table, a_step("s", sql=CREATE), locks=replace(QUICK, lock_timeout_ms=50))
    with closing(table.connect(autocommit=False)) as old:
        old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        old.execute("SET LOCAL application_name = 'headgate run 7 backup'")
        old.execute("SELECT 1")
        age = "SELECT clock_timestamp() - xact_start > interval '100 ms' FROM pg_stat_activity WHERE pid = %(pid)s"
        until(lambda: table.value(age, {"pid": old.info.backend_pid}))
        thread = threading.Thread(target=lambda: result.append(one_slice(order, diary)))
        thread.start()
        awaited = until(lambda: diary.of(events.BlockerAwaited))
        assert f"pid {old.info.backend_pid}" in awaited[0].blockers[0]
        assert "headgate run 7 backup" in awaited[0].blockers[0], "our own pg_dump is waited for like anybody's"
        assert "old snapshot" in awaited[0].blockers[0]
        assert table.value("SELECT to_regclass('i')") is None
        old.rollback()
    thread.join(10)
    assert isinstance(result[0], Finished)
    assert is_valid(table)


def test_a_short_lock_timeout_does_not_cut_the_build(table):
    diary, result = Diary(), []
    order = an_order(table, a_step("s", sql=CREATE), locks=replace(QUICK, lock_timeout_ms=10_000))
    with closing(table.connect(autocommit=False)) as writer:
        writer.execute("SET lock_timeout = 0")
        writer.execute("INSERT INTO t VALUES (0)")
        order = replace(order, plan=replace(order.plan), locks=replace(QUICK, lock_timeout_ms=400, patience_ms=60_000))
        thread = threading.Thread(target=lambda: result.append(one_slice(order, diary)))
        thread.start()
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'virtualxid'"
        until(lambda: table.value(waits) or diary.of(events.BlockerAwaited))
        began = "SELECT clock_timestamp() - xact_start > interval '1 s' FROM pg_stat_activity WHERE pid = %(pid)s"
        until(lambda: table.value(began, {"pid": writer.info.backend_pid}))
        writer.commit()
    thread.join(10)
    assert isinstance(result[0], Finished)
    assert is_valid(table)


def test_a_pause_cancels_the_build_and_the_next_holder_builds_it(table):
    diary, result = Diary(), []
    order = an_order(table, a_step("s", sql=CREATE), locks=replace(QUICK, lock_timeout_ms=5000))
    with closing(table.connect(autocommit=False)) as writer:
        writer.execute("INSERT INTO t VALUES (0)")
        thread = threading.Thread(target=lambda: result.append(one_slice(order, diary)))
        thread.start()
        shown = until(lambda: next((gauge for gauge in list(diary.gauges) if gauge.source), None))
        assert shown.source == "pg_stat_progress_create_index"
        diary.ask = "pause"
        thread.join(10)
        writer.commit()
    assert isinstance(result[0], StopReached)
    assert isinstance(one_slice(replace(order, fence=2)), Finished)
    assert is_valid(table)


def test_a_build_that_a_fenced_worker_began_is_adopted_and_not_repeated(table):
    first, second, results = Diary(), Diary(), {}
    order = an_order(table, a_step("s", sql=CREATE), locks=replace(QUICK, lock_timeout_ms=5000))
    with closing(table.connect(autocommit=False)) as writer:
        writer.execute("INSERT INTO t VALUES (0)")
        one = threading.Thread(target=lambda: results.update(one=one_slice(order, first)))
        one.start()
        # the ledger's own indexes are built in passing
        building = until(
            lambda: table.value("SELECT max(pid) FROM pg_stat_progress_create_index WHERE command LIKE '%CONCURRENTLY'")
        )
        two = threading.Thread(target=lambda: results.update(two=one_slice(replace(order, fence=2), second)))
        two.start()
        adopted = until(lambda: next((gauge for gauge in list(second.gauges) if gauge.pid == building), None))
        assert "goes on" in adopted.phase
        oid = table.value("SELECT 'i'::regclass::oid")
        writer.commit()
    two.join(10)
    one.join(10)
    assert isinstance(results["two"], Finished)
    assert isinstance(results["one"], Fenced)
    assert table.value("SELECT 'i'::regclass::oid") == oid
    assert is_valid(table)
    assert [event.outcome for event in second.of(events.UnitReconciled)] == ["done"]


def test_a_dropped_index_is_found_gone(table):
    sql = "DROP INDEX CONCURRENTLY i"
    order = an_order(table, a_step("s", sql=sql))
    intend(order, sql)
    assert isinstance(one_slice(replace(order, fence=2)), Finished)
    missing = one_slice(an_order(table, a_step("s", sql=sql)))
    assert isinstance(missing, StepFailed), "without an intent of ours it is the server's to say that it is not there"
    assert missing.error.sqlstate == "42704"


def test_an_index_is_dropped_beside_the_traffic(table):
    table.execute("CREATE INDEX i ON t (a)")
    assert isinstance(one_slice(an_order(table, a_step("s", sql="DROP INDEX CONCURRENTLY i"))), Finished)
    assert table.value("SELECT to_regclass('i')") is None


def test_a_partition_is_detached_and_a_half_detached_one_is_finished(database):
    database.execute("CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE c PARTITION OF p FOR VALUES IN (1)")
    sql = "ALTER TABLE p DETACH PARTITION c CONCURRENTLY"
    with closing(database.connect(autocommit=False)) as reader, database.connect() as detach:
        reader.execute("SELECT * FROM p")
        detach.execute("SET statement_timeout = 300")
        with pytest.raises(Exception, match="timeout"):
            detach.execute(sql)
        reader.commit()
    assert database.value("SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = 'c'::regclass") is True
    order = an_order(database, a_step("s", sql=sql))
    intend(order, sql)
    assert isinstance(one_slice(replace(order, fence=2)), Finished)
    assert database.value("SELECT count(*) FROM pg_inherits") == 0

    database.execute("CREATE TABLE d PARTITION OF p FOR VALUES IN (2)")
    assert isinstance(one_slice(an_order(database, a_step("s", sql="ALTER TABLE p DETACH PARTITION d CONCURRENTLY"))), Finished)
    assert database.value("SELECT count(*) FROM pg_inherits") == 0


def test_a_detachment_gives_way_to_readers_of_the_partition_and_goes_up_the_ladder_to_its_end(database):
    database.execute("CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE c PARTITION OF p FOR VALUES IN (1)")
    diary, result = Diary(), []
    policy = replace(QUICK, lock_timeout_ms=5000, queue_tolerance_ms=300, attempts=30)
    order = an_order(database, a_step("s", sql="ALTER TABLE p DETACH PARTITION c CONCURRENTLY"), locks=policy)
    with closing(database.connect(autocommit=False)) as holder:
        holder.execute("SELECT * FROM c")
        thread = threading.Thread(target=lambda: result.append(one_slice(order, diary)))
        thread.start()
        until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"))
        assert database.rows("SELECT * FROM c") == [], "a reader behind it gets through: the second half of it gives way"
        holder.rollback()
    thread.join(20)
    assert isinstance(result[0], Finished)
    assert diary.of(events.QueueYielded)
    assert "FINALIZE" in diary.of(events.StatementStarted)[-1].sql
    assert database.value("SELECT count(*) FROM pg_inherits") == 0


def test_a_detachment_that_was_refused_leaves_no_claim(database):
    database.execute("CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE c (a int)")
    order = an_order(database, a_step("s", sql="ALTER TABLE p DETACH PARTITION c CONCURRENTLY"))
    assert isinstance(one_slice(order), StepFailed)
    assert isinstance(one_slice(replace(order, fence=2)), StepFailed), "nothing was detached, then or now"


def test_a_detachment_that_was_done_before_the_worker_died_is_found_done(database):
    database.execute("CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE c (a int)")
    sql = "ALTER TABLE p DETACH PARTITION c CONCURRENTLY"
    order = an_order(database, a_step("s", sql=sql))
    intend(order, sql)
    assert isinstance(one_slice(replace(order, fence=2)), Finished)


def test_vacuum_may_be_repeated(table):
    order = an_order(table, a_step("s", sql="VACUUM (ANALYZE) t"))
    intend(order, "VACUUM (ANALYZE) t")
    diary = Diary()
    assert isinstance(one_slice(replace(order, fence=2), diary), Finished)
    assert [event.outcome for event in diary.of(events.UnitReconciled)] == ["again"]
