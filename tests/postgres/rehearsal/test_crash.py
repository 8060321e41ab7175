"""The crash test: real workers are killed at every safe point on copies of a shadow, and what is wrong afterwards is named."""

from dataclasses import replace

import pytest

from app.rehearsal.crash import copy_name, crash_test
from app.rehearsal.rehearse import RehearsalOrder, rehearse
from app.rehearsal.shadow import Shadow
from tests.doubles.orders import a_plan, a_step

SETUP = """
    CREATE TABLE users (id bigint PRIMARY KEY, role text);
    CREATE SEQUENCE calls;
    CREATE TABLE log (n int);
"""
PLAN = a_plan(
    a_step("add", sql="ALTER TABLE users ADD note text; INSERT INTO log VALUES (1)", undo="ALTER TABLE users DROP note"),
    a_step("ask", "gate", ask="The release is live"),
    a_step("call", "hook", url="http://127.0.0.1:9/never"),
    a_step("fill", "backfill", table="public.users", set="role = 'user'", where="role IS NULL", undo="SELECT 1"),
    a_step("look", "check", query="SELECT count(*) FROM log", expect=1),
    a_step("index", sql="CREATE INDEX CONCURRENTLY users_role ON users (role)", undo="DROP INDEX CONCURRENTLY users_role"),
)


@pytest.fixture
def shadow(database):
    database.execute(SETUP)
    return Shadow(dsn=database.dsn, target_version="18", shadow_version="18", notes=())


def crash(plan, shadow, **also):
    return crash_test(plan, shadow, ledger_schema="headgate", **also)


def test_a_plan_is_killed_at_every_safe_point_and_resumed(shadow, database):
    told: list[str] = []
    seen = crash(PLAN, shadow, report=told.append)
    assert seen.failed == ()
    assert seen.stopped == ""
    assert seen.points == seen.tried == seen.resumed > 10
    assert seen.sentence() == f"Resumed correctly after {seen.points} of {seen.points} kills, one at every safe point."
    assert len(told) == seen.points
    assert [kill["point"] for kill in seen.kills] == list(range(1, seen.points + 1))
    assert {kill["step"] for kill in seen.kills} >= {"add", "fill", "index"}
    assert database.rows("SELECT 1 FROM pg_database WHERE datname = %s", [copy_name(database.dsn)]) == []
    # the shadow itself was only copied
    assert database.rows("SELECT * FROM log") == []


def test_a_plan_that_comes_to_something_else_after_a_kill_is_named_with_the_point(shadow):
    # a sequence does not go back with its transaction: the second attempt writes no row
    odd = a_plan(a_step("odd", sql="INSERT INTO log SELECT 1 WHERE nextval('calls') = 1; SELECT 1", undo="DELETE FROM log"))
    seen = crash(odd, shadow)
    assert seen.resumed < seen.points == seen.tried
    assert {lost["event"] for lost in seen.failed} >= {"statement_finished"}
    assert "number of rows" in seen.failed[0]["reason"]


def test_it_says_so_where_it_stopped_early_or_could_not_begin(shadow):
    early = crash(PLAN, shadow, longest_seconds=0)
    assert (early.tried, early.resumed) == (0, 0)
    assert "Stopped after 0 s" in early.sentence()
    broken = crash(a_plan(a_step("no", sql="ALTER TABLE nothing ADD x int", undo="SELECT 1")), shadow)
    assert broken.points == 0
    assert "does not come to its end" in broken.stopped


def test_a_rehearsal_that_was_asked_for_it_says_what_came_of_it(database):
    database.execute(SETUP)
    plan = a_plan(a_step("add", sql="ALTER TABLE users ADD note text", undo="ALTER TABLE users DROP note"))
    asked = RehearsalOrder(plan=plan, target_dsn=database.dsn, shadow_dsn=database.server.dsn(), crash_test=True)
    told = rehearse(asked).as_json()["crash_test"]
    assert told["points"] == told["tried"] == told["resumed"] > 3
    assert told["failed"] == []
    assert rehearse(replace(asked, crash_test=False)).as_json()["crash_test"] is None
