import threading

import pytest

from app.engine.order import Finished, StepFailed, StopReached
from app.run import events
from app.steps.errors import CheckFailedError, StepRefusedError
from tests.doubles.diary import Diary
from tests.doubles.orders import a_step, an_order, one_slice
from tests.doubles.waiting import until


@pytest.fixture
def table(database):
    database.execute("CREATE TABLE t (a int NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED, b numeric, c date)")
    database.execute("INSERT INTO t VALUES (1, 1.5, '2026-03-02'), (2, 2, NULL)")
    return database


@pytest.mark.parametrize(
    ("query", "expect"),
    [
        ("SELECT count(*) FROM t", 2),
        ("SELECT sum(b) FROM t", 3.5),
        ("SELECT a = 1 FROM t WHERE a = 1", True),
        ("SELECT c FROM t ORDER BY a", ["2026-03-02", None]),
        ("SELECT a, b FROM t ORDER BY a", [[1, 1.5], [2, 2]]),
        ("SELECT a FROM t WHERE false", []),
        ("SELECT NULL", None),
        ("SELECT 'a%b'", "a%b"),
        ("SELECT ARRAY[1, 2]", [[[1, 2]]]),
    ],
)
def test_a_query_that_returns_what_the_plan_expects_passes(table, query, expect):
    diary = Diary()
    result = one_slice(an_order(table, a_step("c", "check", query=query, expect=expect)), diary)
    assert isinstance(result, Finished), result
    assert len(diary.of(events.CheckPassed)) == 1


@pytest.mark.parametrize(
    ("query", "expect"), [("SELECT 1", 2), ("SELECT 1", "1"), ("SELECT 1, 2", 1), ("SELECT 1 WHERE false", 1)]
)
def test_any_other_answer_fails_and_shows_both(table, query, expect):
    result = one_slice(an_order(table, a_step("c", "check", query=query, expect=expect)))
    assert isinstance(result, StepFailed)
    assert isinstance(result.error, CheckFailedError)
    assert "the plan expects" in result.error.message


def test_a_query_can_change_nothing(table):
    table.execute("CREATE FUNCTION sly() RETURNS int LANGUAGE sql AS 'DELETE FROM t RETURNING a'")
    result = one_slice(an_order(table, a_step("c", "check", query="SELECT sly()", expect=1)))
    assert isinstance(result, StepFailed)
    assert result.error.sqlstate == "25006"
    assert table.value("SELECT count(*) FROM t") == 2


@pytest.mark.parametrize(
    "spec",
    [
        {"query": "SELECT 1; DELETE FROM t", "expect": 1},
        {"query": "DELETE FROM t", "expect": 1},
        {"query": "WITH d AS (DELETE FROM t RETURNING 1) SELECT count(*) FROM d", "expect": 2},
        {"statement": "DELETE FROM t; COMMIT", "refused_with": "23505"},
        {"statement": "VACUUM t", "refused_with": "25001"},
    ],
)
def test_what_could_leave_the_transaction_is_refused(table, spec):
    result = one_slice(an_order(table, a_step("c", "check", **spec)))
    assert isinstance(result, StepFailed)
    assert isinstance(result.error, StepRefusedError)
    assert table.value("SELECT count(*) FROM t") == 2


@pytest.mark.parametrize(
    ("statement", "state"), [("INSERT INTO t VALUES (NULL)", "23502"), ("INSERT INTO t VALUES (1)", "23505")]
)
def test_a_statement_that_must_be_refused_is_also_where_the_constraint_is_deferred(table, statement, state):
    result = one_slice(an_order(table, a_step("c", "check", statement=statement, refused_with=state)))
    assert isinstance(result, Finished), result
    assert table.value("SELECT count(*) FROM t") == 2


def test_a_statement_that_the_database_takes_fails_the_check_and_is_rolled_back(table):
    result = one_slice(an_order(table, a_step("c", "check", statement="INSERT INTO t VALUES (9)", refused_with="23505")))
    assert isinstance(result, StepFailed)
    assert "rolled back" in result.error.message
    assert table.value("SELECT count(*) FROM t") == 2


def test_another_refusal_than_the_expected_one_fails(table):
    result = one_slice(an_order(table, a_step("c", "check", statement="INSERT INTO nope VALUES (9)", refused_with="23505")))
    assert isinstance(result, StepFailed)
    assert result.error.sqlstate == "42P01"


def test_a_check_that_takes_too_long_fails(table):
    result = one_slice(an_order(table, a_step("c", "check", query="SELECT pg_sleep(20)", expect="", timeout_ms=50)))
    assert isinstance(result, StepFailed)
    assert result.error.sqlstate == "57014"


def test_a_long_check_is_cancelled_by_an_ask_and_has_not_failed(table):
    diary, result = Diary(), []
    order = an_order(table, a_step("c", "check", query="SELECT pg_sleep(60)", expect=""))
    thread = threading.Thread(target=lambda: result.append(one_slice(order, diary)))
    thread.start()
    until(
        lambda: table.value("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep(60)%'")
    )
    diary.ask = "pause"
    thread.join(10)
    assert isinstance(result[0], StopReached)
    assert diary.of(events.StatementCancelled)
    assert not diary.of(events.StepFailed)
