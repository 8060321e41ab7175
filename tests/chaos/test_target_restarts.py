"""The target itself goes away in the middle of a unit: restarted, or its sessions ended; the ledger settles what took effect."""

import random
import threading

import psycopg
import pytest

from app.run.events import StatementFinished, StatementStarted
from tests.chaos.stages import assert_like, facts, finished, new_order, to_the_end
from tests.doubles.databases import fresh_database, running_server
from tests.doubles.diary import Diary

pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
def own_server():
    """A server that may be stopped."""
    with running_server() as server:
        yield server


MOMENTS = {
    "in a transaction": lambda event: isinstance(event, StatementFinished) and event.step == "expand" and event.index == 2,
    "in front of an index build": lambda event: isinstance(event, StatementStarted) and "CREATE INDEX" in event.sql,
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("immediate", [True, False], ids=["immediate", "fast"])
def test_a_target_that_is_restarted_is_found_again_and_everything_happens_once(own_server, database, moment, immediate):
    assert finished(to_the_end(new_order(database)))
    expected = facts(database)
    with fresh_database(own_server) as other:
        diary, restarted = Diary(), []

        def on_event(event):
            if MOMENTS[moment](event) and not restarted:
                restarted.append(True)
                own_server.stop(immediate=immediate)
                own_server.start()

        diary.on_event = on_event
        assert finished(to_the_end(new_order(other), diary))
        assert restarted
        assert_like(other, expected)


def test_sessions_of_ours_that_are_ended_at_random_cost_time_and_nothing_else(database, postgres_server):
    assert finished(to_the_end(new_order(database)))
    expected = facts(database)
    chance = random.Random(7)  # noqa: S311  # the same rests in every run
    for _ in range(5):
        with fresh_database(postgres_server) as other:
            order, over = new_order(other), threading.Event()

            def shoot(other=other, over=over):
                with psycopg.connect(other.dsn, autocommit=True) as gun:
                    while not over.wait(chance.uniform(0.05, 0.4)):
                        gun.execute(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE datname = current_database() AND application_name LIKE 'headgate%' ORDER BY random() LIMIT 1"
                        )

            gunman = threading.Thread(target=shoot)
            gunman.start()
            try:
                assert finished(to_the_end(order, Diary(), seconds=120))
            finally:
                over.set()
                gunman.join()
            assert_like(other, expected)
