"""Every button of a run while real workers work: pause, resume, cancel, retry, skip, roll back."""

import time

import pytest

from app.client import RefusedError
from tests.doubles.waiting import until
from tests.journey.theatre import plan_file, sessions_of_ours, sql_step, steps_of

ROWS = 6_000
COUNTED = f"""
    CREATE TABLE counted (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0, role text);
    INSERT INTO counted (id) SELECT generate_series(1, {ROWS});
    CREATE TABLE users (id bigint PRIMARY KEY)
"""
#: does not converge: a row that is done twice shows
COUNT = (
    "id: count\nkind: backfill\ntable: public.counted\nset: n = n + 1\nwhere: 'true'\nmax_rate: 2000\n"
    "rollback: {sql: UPDATE public.counted SET n = n - 1, grade: lossless}"
)
#: nobody holds a lock for it, and it takes as long as it likes
LONG = sql_step("long", "SELECT pg_sleep(300)")
NOTE = sql_step("note", "ALTER TABLE public.users ADD COLUMN note text", "ALTER TABLE public.users DROP COLUMN note")


def prepared(theatre, database, *steps):
    """A target with the tables, and a run of these steps."""
    database.execute(COUNTED)
    target = theatre.target(database.dsn)
    return target, theatre.start(theatre.plan(target, plan=plan_file(*steps)))


def counts(database):
    return database.rows("SELECT n, count(*) FROM counted GROUP BY n ORDER BY n")


def test_a_backfill_is_paused_in_the_middle_and_goes_on_where_it_stopped(theatre, database):
    _, run = prepared(theatre, database, COUNT)
    theatre.until_event(run, "batch_committed")
    pressed = time.monotonic()
    theatre.press(run, "pause")
    theatre.until_run(run, "paused")
    assert time.monotonic() - pressed < 2.5
    done = dict(counts(database)).get(1, 0)
    assert 0 < done < ROWS
    until(lambda: sessions_of_ours(database) == [])
    assert theatre.press(run, "pause")["state"] == "paused"
    theatre.press(run, "resume")
    theatre.until_run(run, "monitoring")
    assert counts(database) == [(1, ROWS)]
    assert theatre.events(run, "backfill_finished")[0]["resumed"] is True


def test_a_backfill_is_cancelled_in_the_middle_and_leaves_what_it_did(theatre, database):
    target, run = prepared(theatre, database, NOTE, COUNT)
    theatre.until_event(run, "batch_committed")
    theatre.press(run, "cancel", text="Wrong day.")
    theatre.until_run(run, "cancelled")
    done = dict(counts(database)).get(1, 0)
    assert 0 < done < ROWS
    until(lambda: sessions_of_ours(database) == [])
    assert theatre.press(run, "cancel")["state"] == "cancelled"
    # the target is free for the next run
    again = theatre.start(theatre.plan(target, plan=plan_file(sql_step("look", "SELECT 1"))))
    theatre.until_run(again, "monitoring")


def test_a_long_statement_is_cancelled_on_the_server_within_two_seconds(theatre, database):
    _, run = prepared(theatre, database, LONG)
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(300)%%' AND state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()"
    until(lambda: database.value(asleep) == 1, seconds=20)
    pressed = time.monotonic()
    theatre.press(run, "cancel")
    until(lambda: database.value(asleep) == 0, seconds=5)
    took = time.monotonic() - pressed
    theatre.until_run(run, "cancelled")
    assert took < 2.5, took
    assert theatre.events(run, "statement_cancelled")


def test_a_failed_step_is_retried_after_the_cause_was_mended(theatre, database):
    database.execute("CREATE TABLE dup (id int); INSERT INTO dup VALUES (1), (1)")
    key = sql_step(
        "key", "ALTER TABLE public.dup ADD CONSTRAINT dup_key UNIQUE (id)", "ALTER TABLE public.dup DROP CONSTRAINT dup_key"
    )
    _, run = prepared(theatre, database, NOTE, key)
    failed = theatre.until_run(run, "failed")
    assert steps_of(failed) == {"note": "succeeded", "key": "failed"}
    [told] = theatre.events(run, "step_failed")
    assert told["sqlstate"] == "23505"
    assert "(id)=(1) is duplicated" in told["detail"]
    assert "dup_key" in told["statement"]
    database.execute("DELETE FROM dup WHERE ctid = (SELECT min(ctid) FROM dup)")
    theatre.press(run, "retry", step="key")
    ended = theatre.until_run(run, "monitoring")
    assert {step["id"]: step["attempts"] for step in ended["steps"]} == {"note": 1, "key": 2}


def test_a_step_is_skipped_with_a_reason_and_the_verification_says_so(theatre, database):
    broken = sql_step("broken", "ALTER TABLE public.nowhere ADD COLUMN x int", "SELECT 1")
    _, run = prepared(theatre, database, broken, NOTE)
    theatre.until_run(run, "failed")
    theatre.press(run, "skip", step="broken", text="The table was retired.")
    ended = theatre.until_run(run, "monitoring")
    assert steps_of(ended) == {"broken": "skipped", "note": "succeeded"}
    found = theatre.cast["operator"].get(f"/runs/{run}/verification")
    [schema] = [item for item in found["report"]["items"] if item["id"] == "schema"]
    assert schema["state"] == "unknown"
    assert "one thing could not" in theatre.run(run)["reason"]
    assert "skipped" in schema["evidence"][0]
    assert "Broken" in schema["evidence"][0]
    assert theatre.events(run, "step_skipped")[0]["reason"] == "The table was retired."


def test_a_failed_run_is_rolled_back_and_the_target_is_as_it_was(theatre, database):
    broken = sql_step(
        "broken", "ALTER TABLE public.counted ADD COLUMN a int; SELECT 1 / 0", "ALTER TABLE public.counted DROP COLUMN a"
    )
    target, run = prepared(theatre, database, NOTE, COUNT, broken)
    theatre.until_run(run, "failed")
    assert counts(database) == [(1, ROWS)]
    back = theatre.roll_back(run, target)
    assert back["state"] == "completed", back["reason"]
    assert theatre.run(run)["state"] == "rolled_back"
    assert counts(database) == [(0, ROWS)]
    assert (
        database.value(
            "SELECT count(*) FROM pg_attribute WHERE attname IN ('note', 'a') AND NOT attisdropped AND attrelid IN ('users'::regclass, 'counted'::regclass)"
        )
        == 0
    )


def test_a_rollback_that_is_cancelled_gives_the_run_back_and_nothing_goes_forward_over_what_was_undone(theatre, database):
    stuck = sql_step("stuck", "ALTER TABLE public.counted ADD COLUMN a int", "SELECT 1 / 0")
    target, run = prepared(theatre, database, stuck, NOTE)
    theatre.until_run(run, "monitoring")
    back = theatre.roll_back(run, target)
    assert (back["state"], steps_of(back)) == ("failed", {"note": "rolled_back", "stuck": "failed"})
    theatre.press(back["id"], "cancel", text="Mended by hand.")
    forward = theatre.run(run)
    assert (forward["state"], steps_of(forward)) == ("failed", {"stuck": "succeeded", "note": "rolled_back"})
    assert "undid note" in forward["reason"]
    with pytest.raises(RefusedError, match="can't go on forward") as refused:
        theatre.press(run, "retry")
    assert refused.value.status == 409
    assert theatre.press(run, "cancel")["state"] == "cancelled"
