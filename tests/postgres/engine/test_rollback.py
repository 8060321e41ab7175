from dataclasses import replace
from uuid import uuid4

from app.engine.order import Finished, StepFailed, StopReached
from app.plan.model import Rollback
from app.run import events
from app.steps.errors import NotUndoableError
from tests.doubles.diary import Diary
from tests.doubles.orders import a_step, an_order, one_slice

STEPS = (
    a_step("table", sql="CREATE TABLE t (a int)", undo="DROP TABLE t"),
    a_step("look", "check", query="SELECT count(*) FROM t", expect=0),
    a_step("index", sql="CREATE INDEX CONCURRENTLY i ON t (a)", undo="DROP INDEX CONCURRENTLY i"),
    a_step("column", sql="ALTER TABLE t ADD b int", undo="ALTER TABLE t DROP b"),
)


def back(order, **changes):
    return replace(order, key=uuid4(), fence=1, direction="rollback", forward_key=order.key, **changes)


def test_finished_steps_are_undone_backwards(database):
    order = an_order(database, *STEPS)
    assert isinstance(one_slice(order), Finished)
    diary = Diary()
    assert isinstance(one_slice(back(order), diary), Finished)
    assert database.value("SELECT to_regclass('t')") is None
    assert [event.step for event in diary.of(events.StepRolledBack)] == ["column", "index", "look", "table"]


def test_steps_that_never_ran_are_left_alone(database):
    order = an_order(database, STEPS[0], a_step("bad", sql="SELECT nope", undo="DROP TABLE never_made"), STEPS[3])
    assert isinstance(one_slice(order), StepFailed)
    diary = Diary()
    assert isinstance(one_slice(back(order), diary), Finished)
    assert [event.step for event in diary.of(events.StepRolledBack)] == ["table"]


def test_only_the_steps_in_scope_are_undone(database):
    order = an_order(database, *STEPS)
    one_slice(order)
    assert isinstance(one_slice(back(order, rollback_scope=frozenset({"column", "index"}))), Finished)
    assert database.value("SELECT to_regclass('t')::text") == "t"
    assert database.value("SELECT to_regclass('i')") is None


def test_it_stops_at_what_can_not_be_undone_and_says_why(database):
    gone = Rollback(grade="irreversible", reason="The rows are deleted for ever.")
    order = an_order(database, STEPS[0], a_step("delete", sql="DELETE FROM t", rollback=gone), STEPS[3])
    assert isinstance(one_slice(order), Finished)
    diary, undoing = Diary(), back(order)
    result = one_slice(undoing, diary)
    assert isinstance(result, StepFailed)
    assert isinstance(result.error, NotUndoableError)
    assert result.step == "delete"
    assert "deleted for ever" in diary.of(events.StepNotUndone)[0].reason
    assert database.value("SELECT to_regclass('t')::text") == "t"
    assert isinstance(one_slice(replace(undoing, fence=2, skipped=frozenset({"delete"}))), Finished)
    assert database.value("SELECT to_regclass('t')") is None


def test_a_rollback_can_be_stopped_and_goes_on(database):
    order = an_order(database, *STEPS)
    one_slice(order)
    diary, undoing = Diary(), back(order)

    def on_event(event):
        if isinstance(event, events.StepRolledBack) and event.step == "index":
            diary.ask = "pause"

    diary.on_event = on_event
    assert isinstance(one_slice(undoing, diary), StopReached)
    again = Diary()
    assert isinstance(one_slice(replace(undoing, fence=2), again), Finished)
    assert [event.step for event in again.of(events.StepRolledBack)] == ["look", "table"]
    assert database.value("SELECT to_regclass('t')") is None


def test_a_step_with_nothing_to_undo_is_passed(database):
    order = an_order(database, a_step("analyze", sql="ANALYZE", rollback=Rollback(grade="lossless")), STEPS[0])
    one_slice(order)
    assert isinstance(one_slice(back(order)), Finished)


def test_a_rolled_back_plan_can_be_run_and_rolled_back_again(database):
    for _ in range(2):
        order = an_order(database, *STEPS)
        assert isinstance(one_slice(order), Finished)
        assert isinstance(one_slice(back(order)), Finished)
    assert database.value("SELECT to_regclass('t')") is None
