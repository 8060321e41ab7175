"""Starting a run: only when ready, once per form, one at a time on a target."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from app.actions.close_monitoring import close_monitoring
from app.actions.start_run import start_run
from app.actions.starting import DoneAlreadyError, NotReadyError, TargetTakenError
from app.actions.work import Wake
from app.errors import InvalidInputError, MovedMeanwhileError, NotFoundError
from app.run.states import RunState
from app.store.tables import Run, RunEvent, RunStep, Tick
from tests.doubles.world import World, a_plan, a_step, age


def start(world: World, plan, *, who: str = "operator", token: str = "", **also) -> Run:
    with world.work(who) as work:
        return start_run(work, plan_id=plan.id, digest=world.digest(plan), request_token=token, **also)


def test_a_ready_plan_becomes_a_scheduled_run_with_its_steps_and_its_first_event(world: World):
    run = start(world, world.ready())
    with world.sessions() as session:
        assert session.get_one(Run, run.id).state is RunState.SCHEDULED
        assert [step.step_id for step in session.query(RunStep).order_by(RunStep.position)] == ["add-note", "ask", "index-note"]
        event = session.query(RunEvent).one()
    assert (event.number, event.type, event.payload["by"]) == (1, "run_created", "Operator")
    assert world.wakes[-1] == Wake(task="advance", id=run.id)


def test_a_plan_that_is_not_ready_is_refused_with_everything_that_is_missing(world: World):
    plan = world.imported()
    with pytest.raises(NotReadyError) as refused:
        start(world, plan)
    assert {missing.gate for missing in refused.value.missing} >= {
        "analysis",
        "rehearsal",
        "approvals",
        "backup",
        "staging_first",
    }
    with world.sessions() as session:
        assert session.query(Run).count() == 0


def test_an_analysis_under_other_levels_of_rules_does_not_count(world: World):
    plan = world.ready()
    world.policy(world.production, severities={"index-drop": "low"})
    with pytest.raises(NotReadyError) as refused:
        start(world, plan)
    (gap,) = [missing for missing in refused.value.missing if missing.gate == "analysis"]
    assert gap.why == "The levels of rules in the policy of production changed since: analyse it again."
    world.policy(world.production, severities={})
    start(world, plan)


def test_the_same_form_sent_twice_makes_one_run(world: World):
    plan = world.ready()
    first = start(world, plan, token="form-1")
    assert start(world, plan, token="form-1").id == first.id
    with world.sessions() as session:
        assert session.query(Run).count() == 1


def test_a_token_of_another_plans_form_finds_nothing(world: World):
    start(world, world.ready(), token="form-1")
    other = world.imported(a_plan("Another"))
    with pytest.raises(NotFoundError):
        start(world, other, token="form-1")


def test_two_people_who_press_start_get_one_run_and_one_explanation(world: World):
    plan = world.ready()
    barrier = Barrier(2)

    def press(who: str) -> Run | TargetTakenError:
        barrier.wait(10)
        try:
            return start(world, plan, who=who, token=f"form-of-{who}")
        except TargetTakenError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(press, ["operator", "project_admin"]))
    runs = [outcome for outcome in outcomes if isinstance(outcome, Run)]
    errors = [outcome for outcome in outcomes if isinstance(outcome, TargetTakenError)]
    assert len(runs) == len(errors) == 1
    starter = {world.people[who].id: world.people[who].name for who in ("operator", "project_admin")}[runs[0].created_by]
    assert errors[0].run_id == runs[0].id
    assert f"{starter} started run {runs[0].id}" in errors[0].message
    assert errors[0].status == 409


def test_two_presses_of_the_same_form_at_the_same_time_give_the_same_run(world: World):
    plan = world.ready()
    barrier = Barrier(2)

    def press(_: int) -> int:
        barrier.wait(10)
        return start(world, plan, token="one-form").id

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(press, range(2)))) == 1


def test_the_index_alone_keeps_a_second_active_run_out(world: World):
    from sqlalchemy.exc import IntegrityError

    run = start(world, world.ready())
    with world.sessions() as session:
        row = session.get_one(Run, run.id)
        session.add(
            Run(
                plan_id=row.plan_id,
                revision_id=row.revision_id,
                target_id=row.target_id,
                created_by=row.created_by,
                driver_id=row.created_by,
                options={},
            )
        )
        with pytest.raises(IntegrityError, match="uq_runs_active_target"):
            session.flush()


def test_an_old_page_can_not_start_what_was_edited_since(world: World):
    plan = world.ready()
    with pytest.raises(MovedMeanwhileError, match="edited"), world.work("operator") as work:
        start_run(work, plan_id=plan.id, digest="0" * 64, request_token="x")


def test_a_backup_that_grew_too_old_stops_the_start(world: World):
    plan = world.ready()
    age(world, minutes=241)
    with pytest.raises(NotReadyError) as refused:
        start(world, plan)
    assert [missing.gate for missing in refused.value.missing] == ["backup"]
    assert "4 h 1 min old" in refused.value.missing[0].why


def test_what_headgate_vouched_for_is_written_down_with_the_start(world: World):
    start(world, world.ready())
    with world.sessions() as session:
        proven = session.query(Tick).filter(Tick.person_id.is_(None)).all()
    assert {tick.item_id for tick in proven} == {
        "sql-reviewed",
        "rollback-prepared",
        "backup-taken",
        "tested-on-staging",
        "metrics-ready",
        "query-performance",
    }
    assert all(tick.evidence["text"] for tick in proven)


def test_a_plan_runs_on_staging_before_production_asks_for_it(world: World):
    plan = world.ready()
    world.policy(world.production, staging_first=True)
    with pytest.raises(NotReadyError) as refused:
        start(world, plan)
    assert [missing.gate for missing in refused.value.missing] == ["staging_first"]
    world.policy(world.staging, approvals={"low": 0, "medium": 0, "high": 0}, checklist=[])
    world.analysed(plan, target=world.staging)
    run = start(world, plan, target_id=world.staging.id)
    world.driven(run, RunState.MONITORING)
    assert start(world, plan).target_id == world.production.id


def test_speed_is_the_environments_unless_it_is_chosen(world: World):
    plan = world.ready()
    world.policy(world.production, profile="gentle")
    assert start(world, plan).options["profile"] == "gentle"


def test_a_run_keeps_the_limits_that_its_environment_had_when_it_was_started(world: World):
    plan = world.ready()
    world.policy(world.production, lock_timeout_ms=1500)
    run = start(world, plan)
    world.policy(world.production, lock_timeout_ms=9000)
    assert world.run(run).options["locks"]["lock_timeout_ms"] == 1500


@pytest.mark.parametrize("options", [{"profile": "ludicrous"}, {"max_rate": -1}, {"max_rate": "many"}])
def test_options_that_make_no_sense_are_refused_by_field(world: World, options: dict):
    with pytest.raises(InvalidInputError) as refused:
        start(world, world.ready(), options=options)
    assert set(refused.value.fields) == set(options)


def test_a_step_without_a_way_back_stops_the_start_until_it_is_overridden(world: World):
    plan = world.ready(a_plan(steps=(a_step("drop", undo=None),)))
    with pytest.raises(NotReadyError) as refused:
        start(world, plan)
    assert [missing.gate for missing in refused.value.missing] == ["checklist:rollback-prepared"]


def test_what_is_done_and_watched_is_not_started_again_from_a_page_left_open(world: World):
    plan = world.ready()
    run = start(world, plan, token="first")
    world.driven(run, RunState.MONITORING)
    with pytest.raises(DoneAlreadyError, match=f"Run {run.id} has done revision 1 on shop-production"):
        start(world, plan, token="second")
    with world.work("operator") as work:
        close_monitoring(work, run_id=run.id, note="Fine; run it again after the restore.")
    assert start(world, plan, token="third").id != run.id
