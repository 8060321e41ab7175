import pytest

from app.engine.order import Finished, WaitingGate
from app.run import events
from app.steps.gate import Gate
from tests.doubles.diary import Diary
from tests.doubles.orders import a_step, an_order, one_slice


def test_reviewers_read_what_will_be_asked():
    assert (
        Gate().describe(a_step("ask", "gate", ask="Is the release live?"))
        == "Waits until somebody confirms: Is the release live?"
    )


@pytest.mark.parametrize(("spec", "who"), [({}, "operator"), ({"who": "admin"}, "admin")])
def test_the_event_says_what_is_asked_and_who_may_answer(database, spec, who):
    diary = Diary()
    result = one_slice(an_order(database, a_step("ask", "gate", ask="Live?", **spec)), diary)
    assert isinstance(result, WaitingGate)
    (told,) = diary.of(events.GateReached)
    assert (told.step, told.ask, told.who) == ("ask", "Live?", who)


def test_a_gate_that_was_opened_before_is_walked_through_and_asks_nobody(database):
    diary = Diary()
    order = an_order(database, a_step("ask", "gate", ask="Live?"), opened_gates={"ask": "deployed at nine"})
    assert isinstance(one_slice(order, diary), Finished)
    assert diary.of(events.GateReached) == []
    assert diary.types()[:2] == ["step_started", "step_finished"]


def test_opening_one_gate_leaves_the_next_one_closed(database):
    order = an_order(database, a_step("one", "gate", ask="1?"), a_step("two", "gate", ask="2?"), opened_gates={"one": "yes"})
    result = one_slice(order)
    assert isinstance(result, WaitingGate)
    assert result.step == "two"
