"""What people do to a run that is past its first steps: roll it back, change its speed, close its watch."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from app.actions.change_speed import change_speed
from app.actions.close_monitoring import close_monitoring
from app.actions.roll_back_run import roll_back_run
from app.actions.set_monitoring_item import set_monitoring_item
from app.actions.starting import TargetTakenError
from app.actions.work import Wake
from app.errors import InvalidInputError, MovedMeanwhileError
from app.run.states import RunState
from app.store import snapshots
from app.store.tables import Run, RunStep
from app.store.words import Direction, ItemState, Window
from tests.doubles.world import World, a_plan
from tests.postgres.actions.telling import DONE


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
