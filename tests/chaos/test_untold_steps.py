"""A worker is gone between the target's COMMIT and the word about it: the next one says what the ledger knows."""

from dataclasses import replace

import pytest

from app.run.events import BatchCommitted, StepFinished, StepRolledBack, StepStarted
from tests.chaos.driver import finished, to_the_end
from tests.chaos.stages import new_order, undo_order
from tests.doubles.diary import Diary

pytestmark = pytest.mark.chaos


def told(diary, kind):
    return [event.step for event in diary.events if isinstance(event, kind)]


def test_steps_that_were_finished_and_never_told_are_told_by_the_next_holder_and_not_done_again(database):
    order = new_order(database)
    assert finished(to_the_end(order))
    steps = [step.id for step in order.plan.steps()]
    known = frozenset({"expand", "walk"})
    diary = Diary()
    result = to_the_end(replace(order, fence=50, steps_done=known, results_kept=frozenset({"walk"})), diary)
    assert finished(result)
    assert told(diary, StepFinished) == [step for step in steps if step not in known]
    assert told(diary, StepStarted) == told(diary, BatchCommitted) == []
    assert result.results["count"]["certificate"]["gap_free"] is True
    assert "walk" not in result.results
    back = undo_order(order)
    assert finished(to_the_end(back))
    diary = Diary()
    assert finished(to_the_end(replace(back, fence=50, results_kept=frozenset()), diary))
    assert told(diary, StepRolledBack) == steps[::-1]


def test_who_keeps_no_book_is_not_told_again(database):
    order = new_order(database)
    assert finished(to_the_end(order))
    diary = Diary()
    assert finished(to_the_end(replace(order, fence=50), diary))
    assert told(diary, StepFinished) == []
