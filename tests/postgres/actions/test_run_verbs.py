"""What people do to runs: each move by the table, once, with its event, its audit line and its bell."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from app.actions.cancel_run import cancel_run
from app.actions.open_gate import open_gate
from app.actions.pause_run import pause_run
from app.actions.resume_run import resume_run
from app.actions.retry_step import retry_step
from app.actions.skip_step import skip_step
from app.actions.start_run import start_run
from app.actions.starting import NotReadyError
from app.actions.work import Wake
from app.errors import InvalidInputError, MovedMeanwhileError, NotAllowedError
from app.plan.model import Step
from app.run.events import GateOpened, RunFinished, StateChanged, StepSkipped, StopAsked
from app.run.states import IllegalMoveError, RunState, StepState
from app.store.events import events_since
from app.store.runs import RunMovedMeanwhileError, move_run
from app.store.tables import GateAnswer, Run
from app.store.words import Ask
from tests.doubles.world import World, a_plan, a_step, age
from tests.postgres.actions.telling import acts, step, told


def test_a_pause_is_asked_for_and_honoured_later(world: World, run: Run):
    with world.work("operator") as work:
        assert pause_run(work, run_id=run.id).state is RunState.PAUSING
    now = world.run(run)
    assert (now.asked, now.asked_by) == (Ask.PAUSE, world.people["operator"].id)
    assert told(world, run)[-2:] == [
        StopAsked(by="Operator", what="pause"),
        StateChanged(source="running", move="ask_pause", target="pausing", reason=now.reason, by="Operator"),
    ]
    assert world.wakes == [Wake(task="advance", id=run.id)]


@pytest.mark.parametrize("times", [2, 3])
def test_a_button_pressed_again_does_nothing_more(world: World, run: Run, times: int):
    for _ in range(times):
        with world.work("operator") as work:
            pause_run(work, run_id=run.id)
    assert acts(world, run) == ["start_run", "pause_run"]


def test_a_paused_run_goes_on_and_forgets_what_was_asked(world: World, run: Run):
    world.driven(run, RunState.PAUSED, step="add-note")
    with world.work("operator") as work:
        resume_run(work, run_id=run.id)
    assert (world.run(run).state, world.run(run).asked) == (RunState.RUNNING, None)


def test_a_stale_pages_button_is_refused_with_the_present_state(world: World, run: Run):
    world.driven(run, RunState.COMPLETED)
    with pytest.raises(IllegalMoveError, match="The run is completed") as refused, world.work("operator") as work:
        pause_run(work, run_id=run.id)
    assert refused.value.status == 409
    assert "Load the page again" in refused.value.hint


def test_cancelling_what_waits_ends_it_at_once_and_frees_the_target(world: World, run: Run):
    world.driven(run, RunState.WAITING_GATE, step="ask")
    with world.work("operator") as work:
        cancel_run(work, run_id=run.id, reason="Wrong day")
    now = world.run(run)
    assert (now.state, now.finished_at) == (RunState.CANCELLED, world.clock.now())
    assert isinstance(told(world, run)[-1], RunFinished)
    with world.work("operator") as work:
        again = start_run(work, plan_id=run.plan_id, digest=world.digest(world.plan(_plan(world, run))), request_token="again")
    assert again.id != run.id


def _plan(world: World, run: Run):
    from app.store.tables import Plan

    with world.sessions() as session:
        return session.get_one(Plan, run.plan_id)


def test_cancelling_what_runs_waits_for_a_safe_point(world: World, run: Run):
    with world.work("operator") as work:
        assert cancel_run(work, run_id=run.id).state is RunState.CANCELLING
    assert world.run(run).finished_at is None


def test_two_people_who_pause_and_cancel_at_once_get_one_outcome(world: World, run: Run):
    barrier = Barrier(2)

    def press(verb):
        barrier.wait(10)
        try:
            with world.work("operator") as work:
                return verb(work, run_id=run.id).state
        except IllegalMoveError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        paused, cancelled = pool.map(press, [pause_run, cancel_run])
    assert cancelled is RunState.CANCELLING
    assert paused is RunState.PAUSING or "The run is cancelling" in str(paused), "whoever came second is told"
    changes = [event for event in told(world, run) if isinstance(event, StateChanged)]
    assert [change.source for change in changes[1:]] == [change.target for change in changes[:-1]], "each from where the last led"
    assert world.run(run).state.value == changes[-1].target


def test_events_are_numbered_without_gaps_however_many_write(world: World, run: Run):
    from app.run.events import StepStarted
    from app.store.events import append_event

    def write(number: int) -> None:
        with world.sessions.begin() as session:
            append_event(session, run.id, StepStarted(step="add-note", kind="sql", attempt=number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(40)))
    with world.sessions() as session:
        numbers = [number for number, _, _ in events_since(session, run.id)]
        assert session.get_one(Run, run.id).event_number == len(numbers)
    assert numbers == list(range(1, 42))


def test_an_event_is_told_to_listeners_with_the_commit(world: World, run: Run, metadata):
    with metadata.connect() as listener:
        listener.execute("LISTEN run_events")
        with world.work("operator") as work:
            pause_run(work, run_id=run.id)
        note = next(listener.notifies(timeout=5, stop_after=1))
    assert note.payload == str(run.id)


def test_a_move_from_a_state_that_is_gone_changes_nothing(world: World, run: Run):
    from app.run.states import Move

    with pytest.raises(RunMovedMeanwhileError, match="running now; your page showed paused"), world.sessions.begin() as session:
        move_run(session, run.id, seen=RunState.PAUSED, move=Move.RESUME, now=world.clock.now())


def test_a_gate_is_opened_by_name_with_a_note_and_once(world: World, run: Run):
    world.driven(run, RunState.WAITING_GATE, step="ask", steps={"ask": "waiting"})
    for _ in range(2):
        with world.work("operator") as work:
            open_gate(work, run_id=run.id, step_id="ask", note="Release 41 is live")
    assert world.run(run).state is RunState.RUNNING
    assert [event for event in told(world, run) if isinstance(event, GateOpened)] == [
        GateOpened(by="Operator", step="ask", note="Release 41 is live")
    ]
    with world.sessions() as session:
        assert session.query(GateAnswer).one().person_id == world.people["operator"].id
    assert world.wakes == [Wake(task="advance", id=run.id)]


def test_only_the_gate_that_the_run_waits_at_can_be_opened(world: World, run: Run):
    with pytest.raises(IllegalMoveError), world.work("operator") as work:
        open_gate(work, run_id=run.id, step_id="ask")
    world.driven(run, RunState.WAITING_GATE, step="ask")
    with pytest.raises(MovedMeanwhileError, match="waits at ask"), world.work("operator") as work:
        open_gate(work, run_id=run.id, step_id="add-note")


def test_a_gate_may_ask_for_a_higher_role(world: World):
    gate = Step(id="ask", kind="gate", title="Ask", spec={"ask": "Sure?", "who": "admin"})
    run = world.started(world.ready(a_plan(steps=(gate, a_step("add-note")))))
    world.driven(run, RunState.WAITING_GATE, step="ask")
    with pytest.raises(NotAllowedError, match="role admin"), world.work("operator") as work:
        open_gate(work, run_id=run.id, step_id="ask")
    with world.work("project_admin") as work:
        open_gate(work, run_id=run.id, step_id="ask")
    assert world.run(run).state is RunState.RUNNING


def test_the_failed_step_is_tried_again_and_no_other(world: World, run: Run):
    world.driven(run, RunState.FAILED, step="add-note", steps={"add-note": "failed"})
    with pytest.raises(MovedMeanwhileError, match="add-note that failed"), world.work("operator") as work:
        retry_step(work, run_id=run.id, step_id="index-note")
    with world.work("operator") as work:
        retry_step(work, run_id=run.id, step_id="add-note")
    assert (world.run(run).state, step(world, run, "add-note").state) == (RunState.RUNNING, StepState.PENDING)
    with world.work("operator") as work:
        retry_step(work, run_id=run.id, step_id="add-note")
    assert acts(world, run) == ["start_run", "retry_step"]


def test_a_run_that_never_began_is_retried_only_when_it_is_ready_again(world: World):
    run = world.started()
    with world.sessions.begin() as session:
        session.get_one(Run, run.id).state = RunState.FAILED
    age(world, hours=5)
    with pytest.raises(NotReadyError), world.work("operator") as work:
        retry_step(work, run_id=run.id)
    world.backed_up()
    with world.work("operator") as work:
        retry_step(work, run_id=run.id)
    assert world.run(run).state is RunState.SCHEDULED  # so that the worker looks at everything once more


def test_a_step_is_skipped_with_a_reason_that_stays(world: World, run: Run):
    world.driven(run, RunState.FAILED, step="add-note", steps={"add-note": "failed"})
    with pytest.raises(InvalidInputError), world.work("operator") as work:
        skip_step(work, run_id=run.id, step_id="add-note", reason="")
    for _ in range(2):
        with world.work("operator") as work:
            skip_step(work, run_id=run.id, step_id="add-note", reason="Done by hand")
    assert step(world, run, "add-note").state is StepState.SKIPPED
    assert [event for event in told(world, run) if isinstance(event, StepSkipped)] == [
        StepSkipped(by="Operator", step="add-note", reason="Done by hand")
    ]


@pytest.mark.parametrize("other", ["index-note", "no-such-step"])
def test_only_the_failed_step_can_be_skipped(world: World, run: Run, other: str):
    world.driven(run, RunState.FAILED, step="add-note", steps={"add-note": "failed"})
    with pytest.raises(MovedMeanwhileError), world.work("operator") as work:
        skip_step(work, run_id=run.id, step_id=other, reason="because")
