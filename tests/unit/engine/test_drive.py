import pytest

from app.engine.drive import Stopped, drive
from app.run.events import Gauge, StatementFinished, StatementStarted, UnitCommitted
from app.run.journal import LeaseLostError
from app.steps.protocol import Done, Waiting
from tests.doubles.diary import Diary

STARTED = StatementStarted(step="s", index=1, of=1, sql="SELECT 1", pid=1)
FINISHED = StatementFinished(step="s", index=1, duration_ms=1.0, changed_rows=-1)
COMMITTED = UnitCommitted(step="s", unit=1, of=2, duration_ms=1.0)


class Run:
    def __init__(self, *items, outcome=None):
        self.items, self.outcome, self.closed = items, outcome or Done(), False

    def __call__(self):
        try:
            yield from self.items
            return self.outcome
        finally:
            self.closed = True


def driven(run, diary=None, *, over=False, confirm=lambda: None, **more):
    return drive(run(), diary or Diary(), is_over=lambda: over, confirm=confirm, **more)


def test_events_are_kept_in_order_and_gauges_apart():
    diary = Diary()
    gauge = Gauge(step="s")
    assert driven(Run(STARTED, gauge, FINISHED, COMMITTED), diary) == Done()
    assert diary.events == [STARTED, FINISHED, COMMITTED]
    assert diary.gauges == [gauge]


def test_a_wait_is_handed_on():
    waiting = Waiting(on="gate", reason="ask")
    assert driven(Run(outcome=waiting)) is waiting


def test_the_end_of_a_slice_is_heard_behind_a_unit_only():
    diary, run = Diary(), Run(STARTED, FINISHED, COMMITTED, STARTED)
    assert driven(run, diary, over=True) == Stopped(ask=None)
    assert diary.events[-1] is COMMITTED
    assert run.closed


def test_what_is_one_unit_is_not_stopped_by_the_end_of_a_slice():
    assert driven(Run(Gauge(step="s"), COMMITTED), over=True, is_one_unit=True) == Done()


def test_an_ask_is_heard_at_every_yield():
    diary, run = Diary(), Run(STARTED, FINISHED)
    diary.ask = "cancel"
    assert driven(run, diary) == Stopped(ask="cancel")
    assert diary.events == [STARTED]
    assert run.closed


def test_a_lost_run_is_left_without_another_word():
    def lost():
        raise LeaseLostError

    diary, run = Diary(), Run(STARTED)
    with pytest.raises(LeaseLostError):
        driven(run, diary, confirm=lost)
    assert diary.events == []
    assert run.closed


def test_a_journal_that_fails_closes_the_step():
    def fail(event):
        raise ConnectionError

    diary, run = Diary(), Run(STARTED)
    diary.on_event = fail
    with pytest.raises(ConnectionError):
        driven(run, diary)
    assert run.closed
