import pytest

from app.target.parking import Parking
from tests.doubles.waiting import until

NAME = "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'headgate%'"


def test_the_next_step_gets_the_same_session_as_good_as_new(database):
    parking = Parking(database.dsn)
    with parking.session("run 1 step 1") as first:
        first.send("SET search_path = elsewhere")
        first.send("SET lock_timeout = 0")
        first.send("CREATE TEMP TABLE mine (a int)")
        first.execute("SELECT pg_advisory_lock(1)")
        pid = first.pid
    with parking.session("run 1 step 2", ends_with_client=False) as second:
        assert second.pid == pid
        shown = second.one(
            "SELECT current_setting('search_path') AS path, current_setting('lock_timeout') AS lock,"
            " current_setting('client_connection_check_interval') AS gone, to_regclass('pg_temp.mine') AS temp"
        )
        assert shown == {"path": '"$user", public', "lock": "2s", "gone": "0", "temp": None}
        assert database.rows(NAME) == [("headgate run 1 step 2",)]
        assert database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    parking.close()
    until(lambda: database.rows(NAME) == [])


def test_a_session_whose_step_failed_is_not_used_again(database):
    parking = Parking(database.dsn)
    with pytest.raises(KeyError), parking.session("x") as first:
        raise KeyError
    assert first.connection.closed
    with parking.session("x") as second:
        assert second.pid != first.pid
    parking.close()


def test_a_session_that_was_ended_while_it_was_parked_is_replaced(database):
    parking = Parking(database.dsn)
    with parking.session("x") as first:
        pass
    database.execute("SELECT pg_terminate_backend(%(pid)s, 5000)", {"pid": first.pid})
    with parking.session("y") as second:
        assert second.one("SELECT 1 AS one") == {"one": 1}
    parking.close()
