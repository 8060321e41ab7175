"""The server did it, and nobody heard that it did: a COMMIT whose answer is lost, a failover that lost what was answered."""

from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from app.backfill.ledger import LedgerMismatchError
from app.embedded.ports import free_port
from app.engine.order import Finished, StepFailed, TargetAway
from app.run import events
from tests.doubles.databases import Database, fresh_database, running_server
from tests.doubles.diary import Diary
from tests.doubles.orders import a_plan, a_step, an_order, one_slice
from tests.doubles.relay import relayed
from tests.doubles.standby import standby_of
from tests.doubles.waiting import until

pytestmark = pytest.mark.chaos

ADD = "UPDATE once SET n = n + 1 /* lost */"
INDEX = "CREATE INDEX CONCURRENTLY lost ON once (n)"


@pytest.mark.parametrize(
    ("sql", "answer_to"), [(ADD, "COMMIT"), (INDEX, "CREATE INDEX")], ids=["a transaction's COMMIT", "a concurrent index build"]
)
def test_an_answer_that_is_lost_is_settled_by_the_ledger_and_nothing_happens_twice(database: Database, sql: str, answer_to: str):
    database.execute("CREATE TABLE once (n int); INSERT INTO once VALUES (0)")
    port = free_port()
    with relayed("127.0.0.1", {port: database.server.port}) as network:
        dsn = make_conninfo(database.dsn, host="127.0.0.1", port=port)
        order = an_order(database, a_step("unheard", sql=sql), a_step("after", sql="UPDATE once SET n = n + 10"), dsn=dsn)
        network.lose_answer(mark="lost", to=answer_to)
        first, second = Diary(), Diary()
        assert isinstance(one_slice(order, first), TargetAway)
        assert [event.step for event in first.of(events.StatementStarted)] == ["unheard"]
        assert not first.of(events.UnitCommitted)
        assert isinstance(one_slice(replace(order, fence=2), second), Finished)
    assert database.value("SELECT n FROM once") == 10 + (sql == ADD)
    assert [event.step for event in second.of(events.StatementStarted)] == ["after"], "it was not said again"
    assert database.rows("SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'once'::regclass") == (
        [("lost", True)] if sql == INDEX else []
    )


def test_a_failover_to_a_standby_that_lost_the_last_commits_stops_for_a_person():
    with running_server() as primary, fresh_database(primary) as database, standby_of(primary) as copy:
        database.execute("CREATE TABLE once (n int); INSERT INTO once VALUES (0)")
        hosts = {"host": "127.0.0.1,127.0.0.1", "port": f"{primary.port},{copy.port}", "target_session_attrs": "read-write"}
        steps = [a_step(f"s{number}", sql=f"UPDATE once SET n = n + {10**number}") for number in range(3)]
        order = an_order(database, *steps, dsn=make_conninfo(database.dsn, **hosts))
        first, second = (replace(order, fence=count, plan=a_plan(*steps[:count])) for count in (1, 2))
        here = replace(database, server=copy)
        assert isinstance(one_slice(first), Finished)
        until(lambda: here.value("SELECT n FROM once") == 1)
        copy.stop()
        assert isinstance(one_slice(second), Finished)
        assert database.value("SELECT n FROM once") == 11
        primary.stop(immediate=True)
        copy.start()
        with psycopg.connect(copy.dsn(), autocommit=True) as promoting:
            assert promoting.execute("SELECT pg_promote()").fetchone() == (True,)
        # Headgate's own database has heard of both
        result = one_slice(replace(order, fence=3, steps_done=frozenset({"s0", "s1"})))
        assert isinstance(result, StepFailed)
        assert isinstance(result.error, LedgerMismatchError)
        assert "s1" in result.error.message
        assert "failover" in (result.error.hint or "")
        assert here.value("SELECT n FROM once") == 1
