from dataclasses import replace

from app.engine.execute import execute
from app.engine.order import Finished, WaitingTime
from app.run import events
from tests.doubles.diary import Diary
from tests.doubles.orders import a_step, an_order


def test_time_passes_from_the_first_look_on_whoever_looks(database, clock):
    diary = Diary()
    order = an_order(database, a_step("w", "wait", seconds=60), a_step("s", sql="CREATE TABLE t (a int)"))
    drive = lambda fence: execute(replace(order, fence=fence), diary, clock=clock, deadline_monotonic=clock.monotonic() + 10)  # noqa: E731  # said four times
    first = drive(1)
    assert isinstance(first, WaitingTime)
    clock.advance(30)
    second = drive(2)
    assert isinstance(second, WaitingTime)
    assert second.until == first.until
    assert database.value("SELECT to_regclass('t')") is None
    clock.advance(30)
    assert isinstance(drive(3), Finished)
    assert len(diary.of(events.WaitStarted)) == 1
