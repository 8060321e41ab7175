"""A driver is stopped in the middle of a unit, another takes the run over, the first is continued: it commits nothing."""

import os
import signal
import sys
from dataclasses import replace

import pytest

from app.run.events import BatchCommitted, Event, StatementFinished, StatementStarted
from tests.chaos.driver import Child, finished, to_the_end
from tests.chaos.stages import assert_like, facts, new_order
from tests.doubles.orders import one_slice
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
def test_a_stopped_driver_that_is_continued_after_a_takeover_commits_nothing(database, calm, moment):
    order = new_order(database)
    stopped = []

    def at(_child, event):
        if MOMENTS[moment](event) and not stopped:
            stopped.append(True)
            os.kill(os.getpid(), signal.SIGSTOP)

    # a worker does not raise its own fence: what it does after the takeover it does in the slice that it has
    zombie = Child(order, at, drive=one_slice)
    try:
        until(zombie.is_stopped, seconds=30)
        assert finished(to_the_end(replace(order, fence=2)))
        assert facts(database) == calm.done
    finally:
        os.kill(zombie.pid, signal.SIGCONT)
    assert zombie.wait() == 0
    assert zombie.told() in {"Fenced", "TargetAway"}
    assert_like(database, calm.done)
