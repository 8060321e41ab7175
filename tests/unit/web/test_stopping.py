"""How a run stands: nothing is promised of a run that has ended, and nothing that was changed is left unsaid."""

from dataclasses import dataclass

import pytest

from app.run.states import RunState, StepState
from app.web.views.stopping import how_it_stands
from tests.doubles.orders import a_plan, a_step

PLAN = a_plan(
    a_step("one", sql="ALTER TABLE users ADD a int", undo="ALTER TABLE users DROP a"),
    a_step("two", "backfill", table="public.users", set="a = 1", where="a IS NULL", undo="UPDATE users SET a = NULL"),
)


@dataclass
class Row:
    step_id: str
    kind: str
    state: StepState

    @property
    def title(self) -> str:
        return self.step_id.capitalize()


def said(state: RunState, one: StepState, two: StepState, *, is_rollback: bool = False) -> str:
    rows = [Row("one", "sql", one), Row("two", "backfill", two)]
    return " ".join(how_it_stands(PLAN, rows, rows[1], state=state, is_rollback=is_rollback))


def test_while_it_goes_on_the_open_batch_and_the_way_on_are_told():
    words = said(RunState.RUNNING, StepState.SUCCEEDED, StepState.RUNNING)
    assert "The open batch is rolled back" in words
    assert "1 of 2 steps is done, up to “One”, and stays so." in words
    assert "Resuming goes on with “Two”." in words


@pytest.mark.parametrize("state", [RunState.ROLLED_BACK, RunState.CANCELLED])
def test_a_run_that_has_ended_is_not_resumed(state: RunState):
    words = said(state, StepState.ROLLED_BACK, StepState.FAILED)
    assert "Resuming" not in words
    assert "the plan can be started again, from its first step" in words


def test_what_is_undone_and_what_stays_are_counted():
    assert "1 finished step is undone; none stays done." in said(RunState.ROLLED_BACK, StepState.ROLLED_BACK, StepState.FAILED)
    assert "1 finished step is undone, 1 stays done." in said(RunState.ROLLED_BACK, StepState.SUCCEEDED, StepState.ROLLED_BACK)


def test_batches_of_a_step_that_was_cancelled_in_its_middle_are_not_forgotten():
    words = said(RunState.CANCELLED, StepState.SUCCEEDED, StepState.RUNNING)
    assert words.startswith("What the last step had committed stays")
    assert "1 of 2 steps is done" in words


def test_a_rollback_that_came_to_its_end_says_what_had_nothing_to_undo():
    words = said(RunState.COMPLETED, StepState.ROLLED_BACK, StepState.PENDING, is_rollback=True)
    assert words == "1 of 2 steps is undone. 1 step had nothing to undo."
