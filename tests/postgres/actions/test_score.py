"""What a run's statements took is kept beside what its analysis predicted, and the next analysis learns from it."""

import dataclasses

import pytest

from app.actions.worker.desk import Desk
from app.actions.worker.score import score_run
from app.analysis.analyse import analyse_plan
from app.analysis.basis import Basis
from app.analysis.calibration import learn, score
from app.analysis.duration import estimate
from app.run.events import StatementFinished
from app.store import estimates, plans
from app.store.events import append_events
from app.store.tables import Analysis, Run
from app.store.words import Direction
from tests.doubles.shop import a_shop, sizes
from tests.doubles.world import World, a_plan, a_step

BASIS = Basis(schema=a_shop(), statistics=sizes(mebibytes=100, rows=800_000))
TABLE_BYTES = 100 * 1024**2


@pytest.fixture
def run(world: World) -> Run:
    steps = (
        a_step("widen", sql="ALTER TABLE users ALTER COLUMN age TYPE bigint; ALTER TABLE users ADD COLUMN note text"),
        a_step("look", sql="SELECT 1"),
    )
    plan = world.ready(a_plan(steps=steps))
    with world.sessions.begin() as session:
        row = session.query(Analysis).one()
        row.report = {**analyse_plan(plans.content(plans.current(session, plan)), basis=BASIS).as_json(), "risk": "low"}
    return world.started(plan)


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(engine=world.engine, sessions=world.sessions, settings=world.settings, clock=world.clock, owner="test:1")


def finished(world: World, run: Run, *took: tuple[str, int, float]) -> None:
    events = tuple(
        StatementFinished(step=step, index=index, duration_ms=duration, changed_rows=-1) for step, index, duration in took
    )
    with world.sessions.begin() as session:
        append_events(session, run.id, events, at=world.clock.now())


def test_each_statement_is_kept_with_what_was_predicted_and_what_it_took(world: World, run: Run, desk: Desk):
    finished(world, run, ("widen", 1, 1000.0), ("widen", 2, 4.0), ("look", 1, 1.0))
    score_run(desk, run.id)
    with world.sessions() as session:
        rows = {(row.step_id, row.statement): row for row in estimates.newest(session, run.target_id)}
    assert set(rows) == {("widen", 1), ("widen", 2)}, "a SELECT was not predicted"
    rewrite = rows["widen", 1]
    assert (rewrite.work, rewrite.relation, rewrite.table_bytes, rewrite.real_ms) == (
        "rewrite",
        "public.users",
        TABLE_BYTES,
        1000.0,
    )
    assert (rewrite.low_ms, rewrite.expected_ms) == pytest.approx((560.5, estimate("rewrite", TABLE_BYTES).expected_ms + 3))
    assert rows["widen", 2].work == "metadata"


def test_what_it_waited_for_locks_is_no_part_of_what_was_estimated(world: World, run: Run, desk: Desk):
    event = StatementFinished(step="widen", index=1, duration_ms=1000.0, changed_rows=-1, waited_ms=750.0)
    with world.sessions.begin() as session:
        append_events(session, run.id, (event,), at=world.clock.now())
    score_run(desk, run.id)
    with world.sessions() as session:
        assert [row.real_ms for row in estimates.newest(session, run.target_id)] == [250.0]


def test_a_statement_that_ran_twice_has_its_last_word(world: World, run: Run, desk: Desk):
    finished(world, run, ("widen", 1, 2500.0))
    score_run(desk, run.id)
    finished(world, run, ("widen", 1, 900.0))
    score_run(desk, run.id)
    with world.sessions() as session:
        assert [row.real_ms for row in estimates.newest(session, run.target_id)] == [900.0]


def test_the_next_estimates_there_are_the_servers_own(world: World, run: Run, desk: Desk):
    finished(world, run, ("widen", 1, 1000.0))
    score_run(desk, run.id)
    with world.sessions() as session:
        history = estimates.outcomes(session, run.target_id)
        assert estimates.outcomes(session, world.staging.id) == []
    assert score(history).median_error == pytest.approx(0.6, abs=0.01)
    again = dataclasses.replace(BASIS, rates=learn(history), estimates=score(history))
    report = analyse_plan(a_plan(sql="ALTER TABLE users ALTER COLUMN age TYPE bigint"), basis=again)
    assert report.statements[0].duration_ms is not None
    assert report.statements[0].duration_ms[1] == pytest.approx(1003)
    assert report.estimates is not None
    assert report.estimates.measured == ("rewrite",)
    assert report.estimates.sentence == "Median error of the last one on this server: 60 %."


def test_a_rollback_is_not_scored(world: World, run: Run, desk: Desk):
    with world.sessions.begin() as session:
        row = session.get_one(Run, run.id)
        session.add(
            Run(
                plan_id=row.plan_id,
                revision_id=row.revision_id,
                target_id=row.target_id,
                direction=Direction.ROLLBACK,
                forward_run_id=row.id,
                state="completed",
                created_by=row.created_by,
                driver_id=row.created_by,
            )
        )
        session.flush()
        back = session.query(Run).filter_by(forward_run_id=row.id).one().id
        append_events(session, back, (StatementFinished(step="widen", index=1, duration_ms=9.0, changed_rows=-1),))
    score_run(desk, back)
    with world.sessions() as session:
        assert estimates.newest(session, run.target_id) == []
