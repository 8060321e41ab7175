import threading
from contextlib import closing

import psycopg
import pytest

from app.target.errors import (
    ConnectionLostError,
    LockNotGrantedError,
    StatementCancelledError,
    StatementFailedError,
    TargetUnreachableError,
)
from app.target.session import Target, refuse_unusable
from tests.doubles.waiting import until


def test_a_session_has_a_name_and_limits(each_database):
    with Target.connect(each_database.dsn, purpose="run 128 step 4", lock_timeout_ms=1500) as target:
        shown = target.one(
            "SELECT current_setting('application_name') AS name, current_setting('lock_timeout') AS lock,"
            " current_setting('idle_in_transaction_session_timeout') AS idle,"
            " current_setting('client_connection_check_interval') AS gone"
        )
        assert shown == {"name": "headgate run 128 step 4", "lock": "1500ms", "idle": "1min", "gone": "1s"}
        assert target.pid == target.connection.info.backend_pid


def test_a_session_that_must_finish_does_not_end_with_its_client(database):
    with Target.connect(database.dsn, purpose="x", ends_with_client=False) as target:
        assert target.one("SELECT current_setting('client_connection_check_interval') AS gone") == {"gone": "0"}


def test_the_search_path_and_time_zone_of_the_role_stay(database):
    database.execute(f"ALTER DATABASE {database.name} SET search_path = elsewhere")
    database.execute(f"ALTER DATABASE {database.name} SET timezone = 'Asia/Tokyo'")
    with Target.connect(database.dsn, purpose="x") as target:
        assert target.one("SELECT current_setting('search_path') AS p, current_setting('timezone') AS z") == {
            "p": "elsewhere",
            "z": "Asia/Tokyo",
        }


def test_limits_of_a_transaction_end_with_it(database):
    with Target.connect(database.dsn, purpose="x") as target:
        with target.transaction(lock_timeout_ms=10, statement_timeout_ms=20):
            assert target.one("SELECT current_setting('lock_timeout') AS v") == {"v": "10ms"}
        assert target.one("SELECT current_setting('statement_timeout') AS v") == {"v": "0"}


def test_a_statement_of_a_plan_is_sent_as_written(database):
    with Target.connect(database.dsn, purpose="x") as target:
        target.send("CREATE TABLE t (a text)")
        assert target.send("INSERT INTO t VALUES ('100%'), ('%s'), ('%(x)s')") == 3
        assert target.fetch("SELECT a FROM t WHERE a LIKE '100\\%'") == [("100%",)]


def test_a_refused_statement_says_all_that_the_database_said(database):
    with Target.connect(database.dsn, purpose="x") as target, pytest.raises(StatementFailedError) as caught:
        target.send("SELECT nope FROM pg_class")
    assert (caught.value.sqlstate, caught.value.position, caught.value.statement) == ("42703", 8, "SELECT nope FROM pg_class")


def test_a_lock_that_is_not_granted_is_its_own_error(database):
    database.execute("CREATE TABLE t (a int)")
    with closing(database.connect(autocommit=False)) as holder, Target.connect(database.dsn, purpose="x") as target:
        holder.execute("LOCK TABLE t")
        with pytest.raises(LockNotGrantedError), target.transaction(lock_timeout_ms=20):
            target.send("ALTER TABLE t ADD b int")


def test_another_thread_can_cancel(database):
    with Target.connect(database.dsn, purpose="x") as target:
        running = "SELECT count(*) FROM pg_stat_activity WHERE pid = %(pid)s AND state = 'active' AND query LIKE '%%pg_sleep%%'"
        caught: list[Exception] = []

        def work():
            try:
                target.send("SELECT pg_sleep(60)")
            except StatementCancelledError as error:
                caught.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        until(lambda: database.value(running, {"pid": target.pid}) == 1)
        target.cancel()
        thread.join(5)
        assert [error.sqlstate for error in caught] == ["57014"]


def test_a_session_that_was_ended_is_a_lost_connection(database):
    with Target.connect(database.dsn, purpose="x") as target:
        database.execute("SELECT pg_terminate_backend(%(pid)s)", {"pid": target.pid})
        with pytest.raises(ConnectionLostError):
            target.one("SELECT 1 AS one")
        with pytest.raises(ConnectionLostError):
            target.one("SELECT 1 AS one")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"port": 1}, "refused"),
        ({"dbname": "no_such_database"}, "database"),
        ({"user": "no_such_role", "password": "hunter2"}, "password"),
        ({"host": "no-such-host.invalid", "connect_timeout": 3}, "host"),
    ],
)
def test_a_target_that_can_not_be_reached_says_why_and_hides_the_password(database, change, kind):
    dsn = psycopg.conninfo.make_conninfo(database.dsn, **{"host": "127.0.0.1", **change})
    with pytest.raises(TargetUnreachableError) as caught:
        Target.connect(dsn, purpose="x")
    assert caught.value.kind == kind, caught.value.message
    assert "hunter2" not in str(caught.value.as_json())
    assert caught.value.hint
    assert caught.value.exit_code == 3


def test_a_wrong_password_is_refused_as_such(database):
    database.execute("DROP ROLE IF EXISTS limited; CREATE ROLE limited LOGIN PASSWORD 'right'")
    with pytest.raises(TargetUnreachableError) as caught:
        Target.connect(psycopg.conninfo.make_conninfo(database.dsn, user="limited", password="wrong-hunter2"), purpose="x")
    assert caught.value.kind == "password"
    assert "hunter2" not in str(caught.value.as_json())


FACTS = {"pid": 7, "version_num": 160004, "version": "16.4", "in_recovery": False}


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({**FACTS, "version_num": 130020, "version": "13.20"}, "too_old"),
        ({**FACTS, "in_recovery": True}, "standby"),
    ],
)
def test_servers_that_the_promises_do_not_hold_on_are_refused(facts, kind):
    with pytest.raises(TargetUnreachableError) as caught:
        refuse_unusable(facts, where="db:5432/shop", allow_standby=False)
    assert caught.value.kind == kind
    refuse_unusable(FACTS, where="db:5432/shop", allow_standby=False)
