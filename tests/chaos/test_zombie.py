"""A driver is stopped in the middle of a unit, another takes the run over, the first is continued: it commits nothing."""

import os
import signal
import sys
from dataclasses import replace

import pytest

from app.run.events import BatchCommitted, Event, StatementFinished, StatementStarted
from tests.chaos.stages import Child, assert_like, facts, finished, new_order, to_the_end
from tests.doubles.databases import fresh_database
from tests.doubles.diary import Diary
from tests.doubles.waiting import until

pytestmark = [pytest.mark.chaos, pytest.mark.skipif(sys.platform != "linux", reason="forks a driver and reads /proc")]


def is_build(event: Event) -> bool:
    return isinstance(event, StatementStarted) and "CREATE INDEX CONCURRENTLY counted_role" in event.sql


MOMENTS = {
    "in a transaction": lambda event: isinstance(event, StatementFinished) and event.step == "expand" and event.index == 2,
    "before a build beside the traffic": is_build,
    "after a statement outside transactions": lambda event: isinstance(event, StatementFinished) and event.step == "indexes",
    "in a backfill": lambda event: isinstance(event, BatchCommitted) and event.step == "count",
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_stopped_driver_that_is_continued_after_a_takeover_commits_nothing(postgres_server, database, moment):
    assert finished(to_the_end(new_order(database)))
    expected = facts(database)
    with fresh_database(postgres_server) as other:
        order = new_order(other)
        stopped = []

        def at(_number, event):
            if MOMENTS[moment](event) and not stopped:
                stopped.append(True)
                os.kill(os.getpid(), signal.SIGSTOP)

        zombie = Child(order, at)
        try:
            until(zombie.is_stopped, seconds=30)
            assert finished(to_the_end(replace(order, fence=2), Diary()))
            assert facts(other) == expected
        finally:
            os.kill(zombie.pid, signal.SIGCONT)
        assert zombie.wait() == 0
        assert zombie.told()[0] in {"Fenced", "TargetAway"}
        assert_like(other, expected)
