"""Rows that fail, locks that are held, sessions that are ended: what the walk does about each."""

import threading
from uuid import uuid4

import psycopg
import pytest

from app.backfill.execute import run_backfill
from app.backfill.faults import PoisonRowError
from app.backfill.session import batch_limits, open_walk_session
from app.run.events import Gauge, LockNotGranted, RowQuarantined, RowRecovered, TargetFound, TargetLost
from app.run.journal import LeaseLostError
from tests.doubles.databases import Database
from tests.postgres.backfill.running import COUNT, FILL, SCHEMA, backfill, checkpoints, order, run_to_end, until, users

POISON = [77, 1234, 1235, 9999, 10000]


def _poisoned(database: Database, rows: int = 10_000) -> None:
    users(database, rows)
    database.execute("UPDATE users SET email = 'broken' WHERE id = ANY (%s)", (POISON,))
    database.execute("ALTER TABLE users ADD number int")


PARSE = {"table": "users", "set": "number = substr(split_part(email, '@', 1), 2)::int", "where": "number IS NULL"}


def test_the_first_row_that_fails_stops_the_run_and_is_named(database: Database) -> None:
    _poisoned(database)
    with pytest.raises(PoisonRowError) as stopped:
        backfill(database, {**PARSE, "strategy": "keyset"})
    assert '{"id": "77"} of public.users' in stopped.value.message
    assert stopped.value.sqlstate == "22P02"
    assert 'invalid input syntax for type integer: "roken"' in stopped.value.message
    assert database.value("SELECT count(*) FROM users WHERE number IS NOT NULL") == 76


def test_the_run_goes_on_at_the_row_once_it_is_mended(database: Database) -> None:
    _poisoned(database, 3000)
    job = uuid4()
    for row in (77, 1234, 1235):
        with pytest.raises(PoisonRowError):
            backfill(database, {**PARSE, "strategy": "keyset"}, job=job)
        database.execute("UPDATE users SET email = 'u5' WHERE id = %s", (row,))
    backfill(database, {**PARSE, "strategy": "keyset"}, job=job)
    assert database.value("SELECT count(*) FROM users WHERE number IS NULL") == 0


@pytest.mark.parametrize("strategy", ["windows", "keyset"])
def test_rows_that_fail_are_set_aside_up_to_the_limit_and_the_others_are_done(strategy: str, database: Database) -> None:
    _poisoned(database)
    job = uuid4()
    said = backfill(database, {**PARSE, "strategy": strategy, "max_quarantine": 5}, job=job)
    aside = database.rows(
        f"SELECT (key->>'id')::int, sqlstate, message FROM {SCHEMA}.quarantine WHERE job = %s ORDER BY 1", (job,)
    )
    assert [row[0] for row in aside] == POISON
    assert {row[1] for row in aside} == {"22P02"}
    assert said.result["quarantined"] == 5
    assert said.result["rows_changed"] == 9995
    assert len(said.of(RowQuarantined)) == 5
    assert database.value("SELECT count(*) FROM users WHERE number IS NULL") == 5


def test_one_row_over_the_limit_stops_the_run(database: Database) -> None:
    _poisoned(database)
    with pytest.raises(PoisonRowError, match="4 rows were set aside before it, which is the limit"):
        backfill(database, {**PARSE, "strategy": "keyset", "max_quarantine": 4})


def test_a_constraint_and_a_trigger_s_exception_poison_a_row_too(database: Database) -> None:
    users(database, 3000)
    database.execute("ALTER TABLE users ADD CHECK (id <> 1500 OR counter = 0)")
    database.execute("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not this one''; END'")
    database.execute("CREATE TRIGGER no BEFORE UPDATE ON users FOR EACH ROW WHEN (OLD.id = 20) EXECUTE FUNCTION no()")
    said = backfill(database, {**COUNT, "max_quarantine": 10})
    assert {(event.key, event.sqlstate) for event in said.of(RowQuarantined)} == {
        ('{"id": "20"}', "P0001"),
        ('{"id": "1500"}', "23514"),
    }
    assert database.value("SELECT sum(counter) FROM users") == 2998


def test_a_row_that_can_never_be_serialized_is_set_aside_instead_of_tried_for_ever(database: Database) -> None:
    users(database, 1500)
    database.execute(
        "CREATE FUNCTION clash() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'could not serialize' USING ERRCODE = '40001'; END $$"
    )
    database.execute("CREATE TRIGGER clash BEFORE UPDATE ON users FOR EACH ROW WHEN (OLD.id = 700) EXECUTE FUNCTION clash()")
    said = backfill(database, {**COUNT, "max_quarantine": 1})
    assert [(event.key, event.sqlstate) for event in said.of(RowQuarantined)] == [('{"id": "700"}', "40001")]
    assert database.value("SELECT sum(counter) FROM users") == 1499


def test_a_row_that_was_set_aside_and_mended_meanwhile_is_done_before_the_end(database: Database) -> None:
    users(database, 3000)
    database.execute("ALTER TABLE users ADD CONSTRAINT mended CHECK (id <> 20 OR counter = 0)")

    def mend(told: object) -> None:
        if isinstance(told, RowQuarantined):
            database.execute("ALTER TABLE users DROP CONSTRAINT mended")

    said = run_to_end(order(database, {**COUNT, "max_quarantine": 1}), after=mend)
    assert [event.key for event in said.of(RowRecovered)] == ['{"id": "20"}']
    assert (said.result["quarantined"], said.result["rows_changed"]) == (0, 3000)
    assert database.rows("SELECT min(counter), max(counter) FROM users") == [(1, 1)]


def test_a_poisoned_row_without_a_key_is_named_by_its_place(database: Database) -> None:
    database.execute("CREATE TABLE t (v text, n int)")
    database.execute("INSERT INTO t SELECT CASE g WHEN 700 THEN 'x' ELSE g::text END FROM generate_series(1, 1000) g")
    said = backfill(database, {"table": "t", "set": "n = v::int", "where": "n IS NULL", "max_quarantine": 1})
    assert '"ctid"' in said.of(RowQuarantined)[0].key
    assert said.result["rows_changed"] == 999


@pytest.mark.parametrize("spec", [FILL, COUNT], ids=["windows", "keyset"])
def test_a_locked_row_is_waited_for_outside_the_lock(spec: dict, database: Database) -> None:
    users(database, 2000)
    with database.connect(autocommit=False) as holder:
        holder.execute("SELECT 1 FROM users WHERE id = 1000 FOR UPDATE")

        def let_go(told: object) -> None:
            if isinstance(told, LockNotGranted):
                holder.rollback()

        said = run_to_end(order(database, spec), after=let_go)
    assert said.of(LockNotGranted)
    assert said.result["rows_changed"] == 2000
    assert database.rows("SELECT count(*) FILTER (WHERE role = 'user'), sum(counter) FROM users") in ([(2000, 0)], [(0, 2000)])


def test_rows_that_others_hold_for_long_are_left_to_the_sweep(database: Database) -> None:
    users(database, 20_000)
    with database.connect(autocommit=False) as holder:
        holder.execute("SELECT 1 FROM users WHERE id IN (5, 12000) FOR UPDATE")
        at_the_end: list[int] = []

        def let_go(told: object) -> None:
            if isinstance(told, Gauge) and told.phase.startswith("looking") and not at_the_end:
                at_the_end.append(database.value("SELECT count(*) FROM users WHERE role IS NULL"))
                holder.rollback()

        said = run_to_end(order(database, FILL), after=let_go)
        assert f"session {holder.info.backend_pid}" in said.of(LockNotGranted)[0].blockers[0]
    assert at_the_end == [2]
    assert said.result["rows_changed"] == 20_000
    assert said.result["certificate"]["sweeps"] == 1


def test_the_application_is_never_the_deadlock_s_victim(database: Database) -> None:
    users(database, 2000)
    errors: list[Exception] = []
    waited: list[int] = []
    with database.connect(autocommit=False) as application, database.connect() as watcher:
        application.execute("UPDATE users SET filler = 'a' WHERE id = 1900")

        def close_the_circle() -> None:
            try:
                # the batch holds row 5 now and waits for row 1900
                while not watcher.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                    pass
                waited.append(1)
                application.execute("UPDATE users SET filler = 'b' WHERE id = 5")
                application.commit()
            except psycopg.Error as error:
                errors.append(error)

        thread = threading.Thread(target=close_the_circle)
        thread.start()
        list(run_backfill(order(database, {**COUNT, "profile": "fast"})))
        thread.join()
    assert waited
    assert not errors
    assert database.rows("SELECT min(counter), max(counter) FROM users") == [(1, 1)]


def test_lock_wait_and_statement_stay_below_half_of_deadlock_timeout(database: Database) -> None:
    assert batch_limits(1000) == {"lock_timeout": "250", "statement_timeout": "500"}
    assert batch_limits(200) == {"lock_timeout": "50", "statement_timeout": "100"}
    with open_walk_session(database.dsn, purpose="test") as target:
        assert target.one(
            "SELECT current_setting('lock_timeout') AS l, current_setting('statement_timeout') AS s, current_setting('synchronous_commit') AS c"
        ) == {"l": "250ms", "s": "500ms", "c": "off"}


def test_an_ended_session_is_replaced_and_the_checkpoint_read_again(database: Database) -> None:
    users(database, 20_000)
    ended: list[int] = []

    def end_sessions(told: object) -> None:
        if isinstance(told, Gauge) and len(ended) < 3 and told.rows_done:
            found = database.rows(
                "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'headgate test backfill' AND datname = current_database()"
            )
            ended.append(len(found))

    said = run_to_end(order(database, {**COUNT, "max_rate": 20_000}), after=end_sessions)

    assert len(ended) == 3
    assert len(said.of(TargetLost)) >= 3
    assert said.of(TargetFound)
    assert database.rows("SELECT min(counter), max(counter), count(*) FROM users") == [(1, 1, 20_000)]


def test_a_newer_epoch_ends_the_older_walk_and_nothing_is_done_twice(database: Database) -> None:
    users(database, 10_000)
    job = uuid4()
    old = run_backfill(order(database, {**COUNT, "max_rate": 5000}, job=job, epoch=1, patience=0))
    until(old, Gauge, 2)
    new = run_backfill(order(database, COUNT, job=job, epoch=2))
    until(new, Gauge, 1)
    with pytest.raises(LeaseLostError):
        list(old)
    list(new)
    assert database.rows("SELECT min(counter), max(counter), count(*) FROM users") == [(1, 1, 10_000)]


def test_the_order_s_repr_holds_no_password(database: Database) -> None:
    assert database.server.password not in repr(order(database, FILL))


def test_an_epoch_that_was_raised_without_ending_the_session_stops_the_walk(database: Database) -> None:
    users(database, 10_000)
    job = uuid4()
    running = run_backfill(order(database, {**COUNT, "max_rate": 10_000}, job=job))
    until(running, Gauge, 2)
    database.execute(f"UPDATE {SCHEMA}.shard SET epoch = 2 WHERE job = %s", (job,))
    counted = database.value("SELECT sum(counter) FROM users")
    with pytest.raises(LeaseLostError, match="Another worker"):
        list(running)
    assert database.value("SELECT sum(counter) FROM users") == counted


def test_a_partitioned_table_without_partitions_is_done_at_once(database: Database) -> None:
    database.execute("CREATE TABLE events (id int, kind text) PARTITION BY RANGE (id)")
    said = backfill(database, {"table": "events", "set": "kind = 'x'", "where": "kind IS NULL"})
    assert said.result["rows_changed"] == 0


def test_an_older_epoch_cannot_begin(database: Database) -> None:
    users(database, 3000)
    job = uuid4()
    running = run_backfill(order(database, {**COUNT, "max_rate": 2000}, job=job, epoch=5))
    until(running, Gauge, 1)
    running.close()
    with pytest.raises(LeaseLostError, match="epoch 5, ours is 4"):
        backfill(database, COUNT, job=job, epoch=4)


def test_the_ledger_s_fence_stops_a_walk_whose_run_was_taken_over(database: Database) -> None:
    users(database, 10_000)
    run = uuid4()
    running = run_backfill(order(database, {**FILL, "max_rate": 10_000}, run=run, epoch=3))
    until(running, Gauge, 2)
    database.execute(f"INSERT INTO {SCHEMA}.fence (run, token, label) VALUES (%s, 4, 'another worker')", (run,))
    changed = database.value("SELECT count(*) FROM users WHERE role = 'user'")
    with pytest.raises(LeaseLostError, match="taken over"):
        list(running)
    assert database.value("SELECT count(*) FROM users WHERE role = 'user'") == changed


def test_a_checkpoint_that_moved_behind_our_back_is_adopted(database: Database) -> None:
    users(database, 10_000)
    job = uuid4()
    running = run_backfill(order(database, {**FILL, "max_rate": 10_000}, job=job))
    until(running, Gauge, 2)
    # as if a batch had committed and its answer were lost
    database.execute(f"UPDATE {SCHEMA}.shard SET batches = batches + 1 WHERE job = %s", (job,))
    list(running)
    points, connection = checkpoints(database, job)
    with connection:
        assert points.shards()[0].rows_done == 10_000
