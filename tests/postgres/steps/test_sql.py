from app.engine.order import Finished, StepFailed
from app.run import events
from app.steps.sql import Sql
from tests.doubles.diary import Diary
from tests.doubles.orders import a_step, an_order, one_slice

THREE = "CREATE TABLE t (a int); CREATE INDEX CONCURRENTLY t_a ON t (a); ALTER TABLE t ADD b int"


def test_reviewers_read_how_many_statements_there_are():
    assert "3 statements" in Sql().describe(a_step("s", sql=THREE))


def test_what_refuses_a_transaction_is_a_unit_between_those_that_share_one(database):
    diary = Diary()
    assert isinstance(one_slice(an_order(database, a_step("s", sql=THREE)), diary), Finished)
    assert [event.index for event in diary.of(events.StatementFinished)] == [1, 2, 3]
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass") is True
    assert database.value("SELECT count(*) FROM headgate.unit WHERE step = 's' AND unit > 0") == 3


def test_units_before_a_failing_one_stay_and_what_shares_its_transaction_does_not(database):
    sql = "CREATE TABLE t (a int); CREATE INDEX CONCURRENTLY t_a ON t (a); CREATE TABLE u (a int); SELECT nowhere"
    result = one_slice(an_order(database, a_step("s", sql=sql)))
    assert isinstance(result, StepFailed)
    assert database.rows("SELECT to_regclass('t_a')::text, to_regclass('u')::text") == [("t_a", None)]
