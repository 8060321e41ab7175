"""After each look of a watch the verdict stands beside it, and the checklist says what was measured."""

from datetime import timedelta

from sqlalchemy.orm import Session

from app.actions.worker.judge import judge_looks
from app.monitoring.figures import Epoch, Snapshot, StatementFigures
from app.run.states import RunState
from app.store import snapshots
from app.store.tables import Run
from app.store.tables.snapshots import MetricSnapshot
from app.store.words import ItemState, Window
from tests.doubles.world import World


def a_look(world: World, calls: int, mean_ms: float) -> Snapshot:
    statement = StatementFigures(
        key="1:top:a",
        query="SELECT * FROM users",
        calls=calls,
        total_ms=calls * mean_ms,
        squares=calls * mean_ms**2,
        rows=calls,
        blocks=calls,
    )
    return Snapshot(
        taken_at=world.clock.now().isoformat(),
        version_num=180000,
        epoch=Epoch(server_started="2026-03-01T00:00:00+00:00", statements_reset="2026-03-01T00:00:00+00:00"),
        statements=(statement,),
        has_statements=True,
    )


def keep(session: Session, world: World, run: Run, window: Window, look: Snapshot) -> MetricSnapshot:
    return snapshots.keep_metrics(
        session,
        run_id=run.id,
        target_id=run.target_id,
        window=window,
        content=look.as_json(),
        verdict=None,
        now=world.clock.now(),
    )


def test_the_newest_look_gets_the_verdict_and_every_item_of_the_checklist_is_judged(world: World):
    started = world.started()
    world.driven(started, RunState.MONITORING)
    with world.sessions.begin() as session:
        run = session.get_one(Run, started.id)
        keep(session, world, run, Window.BEFORE, a_look(world, 1000, 2.0))
        run.finished_at = world.clock.now()
        world.clock.advance(timedelta(minutes=5).total_seconds())
        newest = keep(session, world, run, Window.HOUR, a_look(world, 3000, 12.0))
        watch = judge_looks(session, run, newest=newest, integrity=None, now=world.clock.now())
        assert watch.verdict is not None
        assert newest.verdict is not None
        assert newest.verdict["state"] == watch.verdict.state
        assert newest.verdict["comparison"]["statements"][0]["calls_after"] == 2000
    with world.sessions() as session:
        items = {item.item_id: item for item in snapshots.items(session, started.id)}
    assert len(items) == len(watch.judgements)
    assert items["no-orphans"].state is ItemState.PENDING  # the data was not looked at, and a week is not over
    assert "sentence" in (items["no-migration-errors"].figures or {})


def test_what_a_person_said_is_not_overwritten_by_the_next_look(world: World):
    started = world.started()
    world.driven(started, RunState.MONITORING)
    with world.sessions.begin() as session:
        run = session.get_one(Run, started.id)
        run.finished_at = world.clock.now()
        newest = keep(session, world, run, Window.NOW, a_look(world, 1, 1.0))
        judge_looks(session, run, newest=newest, integrity=None, now=world.clock.now())
        item = next(found for found in snapshots.items(session, run.id) if found.item_id == "index-usage")
        item.state, item.person_id = ItemState.PASSED, world.people["operator"].id
        session.flush()
        judge_looks(session, run, newest=newest, integrity=None, now=world.clock.now())
        again = next(found for found in snapshots.items(session, run.id) if found.item_id == "index-usage")
        assert again.state is ItemState.PASSED
        assert newest.verdict is None  # nothing from before the run to compare with
