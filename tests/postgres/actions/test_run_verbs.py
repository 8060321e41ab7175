"""What people do to runs: each move by the table, once, with its event, its audit line and its bell."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from app.actions.cancel_run import cancel_run
from app.actions.change_speed import change_speed
from app.actions.close_monitoring import close_monitoring
from app.actions.open_gate import open_gate
from app.actions.pause_run import pause_run
from app.actions.resume_run import resume_run
from app.actions.retry_step import retry_step
from app.actions.roll_back_run import roll_back_run
from app.actions.set_monitoring_item import set_monitoring_item
from app.actions.skip_step import skip_step
from app.actions.start_run import NotReadyError, TargetTakenError, start_run
from app.actions.work import Wake
from app.errors import InvalidInputError, MovedMeanwhileError, NotAllowedError
from app.plan.model import Step
from app.run.events import GateOpened, RunFinished, StateChanged, StepSkipped, StopAsked
from app.run.states import IllegalMoveError, RunState, StepState
from app.store import snapshots
from app.store.events import events_since
from app.store.runs import RunMovedMeanwhileError, move_run
from app.store.tables import AuditLine, GateAnswer, Run, RunStep
from app.store.words import Ask, Direction, ItemState, Window
from tests.doubles.world import World, a_plan, a_step, age

DONE = {"add-note": "succeeded", "ask": "succeeded", "index-note": "succeeded"}


def told(world: World, run: Run) -> list[object]:
    with world.sessions() as session:
        return [event for _, _, event in events_since(session, run.id)]


def acts(world: World, run: Run) -> list[str]:
    with world.sessions() as session:
        return [
            line.act for line in session.query(AuditLine).filter_by(subject_kind="run", subject_id=run.id).order_by(AuditLine.id)
        ]


def step(world: World, run: Run, step_id: str) -> RunStep:
    with world.sessions() as session:
        return session.get_one(RunStep, (run.id, step_id))


@pytest.fixture
def run(world: World) -> Run:
    """Running its first step."""
    made = world.started()
    world.driven(made, RunState.RUNNING, step="add-note", steps={"add-note": "running"})
    world.wakes.clear()
    return made


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


def test_a_rollback_is_a_run_of_its_own_that_works_backwards(world: World, run: Run):
    world.driven(run, RunState.MONITORING, step="index-note", steps=DONE)
    with world.work("operator") as work:
        back = roll_back_run(work, run_id=run.id, target_name="shop-production")
    assert (back.direction, back.forward_run_id, back.scope) == (Direction.ROLLBACK, run.id, ["add-note", "index-note"])
    assert world.run(run).state is RunState.ROLLING_BACK
    with world.sessions() as session:
        rows = session.query(RunStep).filter_by(run_id=back.id).order_by(RunStep.position)
        assert [row.step_id for row in rows] == ["index-note", "add-note"]
    assert world.wakes == [Wake(task="advance", id=back.id)]


def test_asking_for_the_same_rollback_again_finds_it(world: World, run: Run):
    world.driven(run, RunState.FAILED, step="index-note", steps={**DONE, "index-note": "failed"})
    made = set()
    for _ in range(2):
        with world.work("operator") as work:
            made.add(roll_back_run(work, run_id=run.id, target_name="shop-production").id)
    assert len(made) == 1


@pytest.mark.parametrize(
    ("scope", "of", "steps"),
    [("phase", "expand", ["add-note", "index-note"]), ("step", "index-note", ["index-note"])],
)
def test_a_part_of_a_run_can_be_rolled_back(world: World, run: Run, scope: str, of: str, steps: list[str]):
    world.driven(run, RunState.PAUSED, step="index-note", steps={**DONE, "index-note": "running"})
    with world.work("operator") as work:
        assert roll_back_run(work, run_id=run.id, target_name="shop-production", scope=scope, of=of).scope == steps


def test_what_was_never_done_can_not_be_undone(world: World, run: Run):
    world.driven(run, RunState.PAUSED, step="add-note", steps={"add-note": "pending"})
    with pytest.raises(InvalidInputError, match="Nothing that can be undone"), world.work("operator") as work:
        roll_back_run(work, run_id=run.id, target_name="shop-production")


def test_a_rollback_asks_for_the_targets_name(world: World, run: Run):
    world.driven(run, RunState.MONITORING, steps=DONE)
    with pytest.raises(InvalidInputError, match="Type shop-production"), world.work("operator") as work:
        roll_back_run(work, run_id=run.id, target_name="shop-staging")
    assert world.run(run).state is RunState.MONITORING


def test_a_rollback_is_not_rolled_back(world: World, run: Run):
    world.driven(run, RunState.MONITORING, steps=DONE)
    with world.work("operator") as work:
        back = roll_back_run(work, run_id=run.id, target_name="shop-production")
    world.driven(back, RunState.FAILED, steps={"add-note": "succeeded"})
    with pytest.raises(MovedMeanwhileError, match="rollback itself"), world.work("operator") as work:
        roll_back_run(work, run_id=back.id, target_name="shop-production")


def test_a_rollback_waits_for_whoever_holds_the_target(world: World, run: Run):
    world.driven(run, RunState.COMPLETED, steps=DONE)
    other = world.ready(a_plan("Other"))
    holding = world.started(other)
    with pytest.raises(TargetTakenError, match=f"run {holding.id}"), world.work("operator") as work:
        roll_back_run(work, run_id=run.id, target_name="shop-production")
    assert world.run(run).state is RunState.COMPLETED


def test_a_start_and_a_rollback_at_once_end_with_one_run_on_the_target(world: World, run: Run):
    world.driven(run, RunState.COMPLETED, steps=DONE)
    plan = world.ready(a_plan("Other"))
    barrier = Barrier(2)

    def press(which: str) -> object:
        barrier.wait(10)
        try:
            if which == "start":
                return world.started(plan)
            with world.work("operator") as work:
                return roll_back_run(work, run_id=run.id, target_name="shop-production")
        except (TargetTakenError, MovedMeanwhileError) as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(press, ["start", "roll back"]))
    assert sum(isinstance(outcome, Run) for outcome in outcomes) == 1, outcomes


def test_speed_changes_while_it_runs_and_nothing_else_does(world: World, run: Run):
    with world.work("operator") as work:
        change_speed(work, run_id=run.id, profile="gentle", max_rate=5000)
    limits = run.options["locks"]
    assert world.run(run).options == {"profile": "gentle", "max_rate": 5000, "locks": limits}
    with world.work("operator") as work:
        change_speed(work, run_id=run.id, max_rate=0)
    assert world.run(run).options == {"profile": "gentle", "max_rate": None, "locks": limits}
    with pytest.raises(InvalidInputError), world.work("operator") as work:
        change_speed(work, run_id=run.id, profile="ludicrous")


def test_the_speed_of_a_run_that_ended_is_not_changed(world: World, run: Run):
    world.driven(run, RunState.CANCELLED)
    with pytest.raises(MovedMeanwhileError), world.work("operator") as work:
        change_speed(work, run_id=run.id, profile="fast")


@pytest.fixture
def watched(world: World, run: Run) -> Run:
    """In the first hour, one item failed."""
    world.driven(run, RunState.MONITORING, steps=DONE)
    with world.sessions.begin() as session:
        for item, state in (("error-rates", ItemState.FAILED), ("no-migration-errors", ItemState.PASSED)):
            snapshots.set_item(session, run.id, item, Window.HOUR, state=state, figures={"errors": 3}, now=world.clock.now())
    return run


def test_to_pass_what_headgate_found_failed_takes_a_reason(world: World, watched: Run):
    with pytest.raises(InvalidInputError), world.work("operator") as work:
        set_monitoring_item(work, run_id=watched.id, item_id="error-rates", window="1h", state="passed")
    with world.work("operator") as work:
        item = set_monitoring_item(
            work, run_id=watched.id, item_id="error-rates", window="1h", state="passed", note="A known bot"
        )
    assert (item.state, item.note) == (ItemState.OVERRIDDEN, "A known bot")
    with world.sessions.begin() as session:
        snapshots.set_item(
            session, watched.id, "error-rates", Window.HOUR, state=ItemState.FAILED, figures={}, now=world.clock.now()
        )
        assert (
            next(item for item in snapshots.items(session, watched.id) if item.item_id == "error-rates").state
            is ItemState.OVERRIDDEN
        )


def test_a_watch_with_open_items_is_closed_only_with_words(world: World, watched: Run):
    with pytest.raises(InvalidInputError), world.work("operator") as work:
        close_monitoring(work, run_id=watched.id)
    for _ in range(2):
        with world.work("operator") as work:
            close_monitoring(work, run_id=watched.id, note="Looked at by hand")
    assert (world.run(watched).state, world.run(watched).reason) == (RunState.COMPLETED, "Looked at by hand")


@pytest.mark.parametrize(
    ("item", "window", "state"),
    [("nothing", "1h", "passed"), ("error-rates", "2h", "passed"), ("error-rates", "1h", "overridden")],
)
def test_a_monitoring_item_that_is_none_is_refused(world: World, watched: Run, item: str, window: str, state: str):
    with pytest.raises(InvalidInputError), world.work("operator") as work:
        set_monitoring_item(work, run_id=watched.id, item_id=item, window=window, state=state)
