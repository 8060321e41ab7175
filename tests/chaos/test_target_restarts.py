"""The target itself goes away in the middle of a unit: restarted, or its sessions ended; the ledger settles what took effect."""

import random
import threading

import psycopg
import pytest

from app.run.events import StatementFinished, StatementStarted
from tests.chaos.driver import finished, to_the_end
from tests.chaos.rounds import rounds
from tests.chaos.stages import assert_like, new_order
from tests.doubles.databases import fresh_database
from tests.doubles.diary import Diary

pytestmark = pytest.mark.chaos


MOMENTS = {
    "in a transaction": lambda event: isinstance(event, StatementFinished) and event.step == "expand" and event.index == 2,
    "in front of an index build": lambda event: isinstance(event, StatementStarted) and "CREATE INDEX" in event.sql,
}

#: sessions that are ended in one run: then it may come to its end
SHOTS = 12


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("immediate", [True, False], ids=["immediate", "fast"])
def test_a_target_that_is_restarted_is_found_again_and_everything_happens_once(frail_server, calm, moment, immediate):
    with fresh_database(frail_server) as other:
        diary, restarted = Diary(), []

        def on_event(event):
            if MOMENTS[moment](event) and not restarted:
                restarted.append(True)
                frail_server.stop(immediate=immediate)
                frail_server.start()

        diary.on_event = on_event
        assert finished(to_the_end(new_order(other), diary))
        assert restarted
        assert_like(other, calm.done)


def test_sessions_of_ours_that_are_ended_at_random_cost_time_and_nothing_else(postgres_server, calm):
    chance = random.Random(7)  # noqa: S311  # the same rests in every run
    for _ in range(rounds(2)):
        with fresh_database(postgres_server) as other:
            order, over = new_order(other), threading.Event()

            def shoot(other=other, over=over):
                with psycopg.connect(other.dsn, autocommit=True) as gun:
                    for _ in range(SHOTS):
                        if over.wait(chance.uniform(0.05, 0.3)):
                            return
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
            assert_like(other, calm.done)
