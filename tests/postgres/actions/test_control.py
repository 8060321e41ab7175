"""One person drives a run: asked for, handed over, declined, taken with a reason and reviewed; others are told who drives it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from app.actions.ask_control import ask_control
from app.actions.driving import NotDriverError
from app.actions.hand_over_control import decline_control, hand_over_control
from app.actions.open_gate import open_gate
from app.actions.pause_run import pause_run
from app.actions.resume_run import resume_run
from app.actions.review_control import review_control
from app.actions.take_control import take_control
from app.errors import InvalidInputError, MovedMeanwhileError, NotAllowedError, NotFoundError
from app.run import events
from app.run.states import RunState
from app.store import control
from app.store.tables import Run
from tests.doubles.world import World
from tests.postgres.actions.telling import acts, told

ADMIN = "project_admin"


def test_only_the_one_who_drives_it_moves_a_run_and_the_other_is_told_who_that_is(world: World, run: Run):
    with pytest.raises(NotDriverError, match="Operator drives run") as refused, world.work(ADMIN) as work:
        pause_run(work, run_id=run.id)
    assert "take it with a reason" in refused.value.hint
    assert world.run(run).state is RunState.RUNNING


def test_gates_are_opened_by_role_whoever_drives(world: World, run: Run):
    world.driven(run, RunState.WAITING_GATE, step="ask", steps={"ask": "waiting"})
    with world.work(ADMIN) as work:
        open_gate(work, run_id=run.id, step_id="ask", note="Live")
    assert world.run(run).state is RunState.RUNNING


def test_control_is_asked_for_once_and_handed_over_with_a_note(world: World, run: Run):
    for _ in range(2):
        with world.work(ADMIN) as work:
            ask_control(work, run_id=run.id, note="My shift begins")
    for _ in range(2):
        with world.work("operator") as work:
            hand_over_control(work, run_id=run.id, to=world.people[ADMIN].id, note="Step 3 is slow")
    assert told(world, run)[-2:] == [
        events.ControlAsked(by="Project Admin", note="My shift begins"),
        events.ControlHandedOver(by="Operator", person="Project Admin", note="Step 3 is slow"),
    ]
    assert acts(world, run)[-2:] == ["ask_control", "hand_over_control"]
    with world.sessions() as session:
        assert control.open_asks(session, run.id) == []
    with world.work(ADMIN) as work:
        pause_run(work, run_id=run.id)
    with pytest.raises(NotDriverError, match="Project Admin drives"), world.work("operator") as work:
        resume_run(work, run_id=run.id)


def test_it_is_declined_to_who_asked_and_to_nobody_else(world: World, run: Run):
    with world.work(ADMIN) as work:
        ask_control(work, run_id=run.id)
    with world.work("operator") as work:
        decline_control(work, run_id=run.id, person_id=world.people[ADMIN].id, note="Nearly done")
    assert told(world, run)[-1] == events.ControlDeclined(by="Operator", person="Project Admin", note="Nearly done")
    with pytest.raises(MovedMeanwhileError), world.work("operator") as work:
        decline_control(work, run_id=run.id, person_id=world.people[ADMIN].id)


def test_it_is_handed_only_to_somebody_who_may_control_runs(world: World, run: Run):
    with pytest.raises(NotFoundError, match="may not control runs"), world.work("operator") as work:
        hand_over_control(work, run_id=run.id, to=world.people["author"].id)


def test_breaking_the_glass_takes_a_reason_and_opens_a_review_by_somebody_else(world: World, run: Run):
    with pytest.raises(InvalidInputError), world.work(ADMIN) as work:
        take_control(work, run_id=run.id, reason=" ")
    for _ in range(2):
        with world.work(ADMIN) as work:
            take_control(work, run_id=run.id, reason="Operator is on a plane")
    assert told(world, run)[-1] == events.ControlTaken(by="Project Admin", person="Operator", reason="Operator is on a plane")
    with world.sessions() as session:
        [change] = control.to_review(session)
    assert (change.person, change.driver, change.note) == ("Project Admin", "Operator", "Operator is on a plane")
    with pytest.raises(NotAllowedError, match="yourself"), world.work(ADMIN) as work:
        review_control(work, run_id=run.id, handover_id=change.id, note="fine")
    for _ in range(2):
        with world.work("operator") as work:
            review_control(work, run_id=run.id, handover_id=change.id, note="It was right")
    assert told(world, run)[-1] == events.ControlReviewed(by="Operator", person="Project Admin", note="It was right")
    with world.sessions() as session:
        assert control.to_review(session) == []


def test_of_two_who_take_it_at_once_the_second_takes_it_from_the_first_and_both_are_kept(world: World, run: Run):
    barrier = Barrier(2)

    def take(who: str) -> None:
        with world.work(who) as work:
            barrier.wait(10)
            take_control(work, run_id=run.id, reason=f"{who} has to")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(take, [ADMIN, "admin"]))
    first, second = (event for event in told(world, run) if isinstance(event, events.ControlTaken))
    assert (first.person, second.person) == ("Operator", first.by)
    with world.sessions() as session:
        assert len(control.to_review(session)) == 2


def test_what_has_ended_is_driven_by_nobody(world: World, run: Run):
    world.driven(run, RunState.COMPLETED)
    with pytest.raises(MovedMeanwhileError, match="nobody needs to drive it"), world.work(ADMIN) as work:
        take_control(work, run_id=run.id, reason="late")
