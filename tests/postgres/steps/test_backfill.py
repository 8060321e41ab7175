"""The step kind `backfill`, driven by the engine: slices, pause, fence, gauges, undo by SQL."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from app.engine.order import Finished, SliceEnded, StepFailed, StopReached
from app.run.events import BackfillFinished, BackfillPlanned, Gauge
from app.steps.backfill import Backfill, job_of
from tests.doubles.databases import Database
from tests.doubles.diary import Diary
from tests.doubles.orders import a_step, an_order, one_slice, to_the_end
from tests.postgres.backfill.running import users

ROWS = 20_000
FILL = {"table": "public.users", "set": "role = 'user'", "where": "role IS NULL"}


def _fill(**spec: Any) -> Any:
    return a_step("fill", "backfill", **{**FILL, **spec})


def test_a_run_changes_every_row_and_keeps_figures_and_certificate(database: Database) -> None:
    users(database, ROWS)
    diary = Diary()
    result = to_the_end(an_order(database, _fill()), diary)
    assert isinstance(result, Finished)
    kept = result.results["fill"]
    assert kept["rows_changed"] == ROWS
    assert kept["certificate"]["remaining_rows"] == 0
    assert diary.of(BackfillPlanned)
    assert diary.of(BackfillFinished)
    gauge: Gauge = diary.gauges[-1]
    assert gauge.rows_done == ROWS
    assert gauge.rows_total == ROWS
    assert gauge.statement == "UPDATE public.users\n   SET role = 'user'\n WHERE role IS NULL"
    assert "commit latency" in gauge.signals
    assert set(gauge.signals["commit latency"]) >= {"value", "limit", "unit", "state"}


def test_many_slices_do_every_row_once(database: Database) -> None:
    users(database, ROWS)
    diary = Diary()
    order = an_order(database, _fill(set="counter = counter + 1", where="true", max_rate=10_000))
    slices = 0
    while isinstance(result := one_slice(order, diary, seconds=0.3), SliceEnded):
        order, slices = replace(order, fence=order.fence + 1), slices + 1
    assert isinstance(result, Finished)
    assert slices >= 3
    assert database.rows("SELECT min(counter), max(counter), count(*) FROM users") == [(1, 1, ROWS)]
    assert len(diary.of(BackfillPlanned)) == 1


def test_a_pause_stops_it_within_a_moment_and_it_goes_on_later(database: Database) -> None:
    users(database, ROWS)
    diary = Diary()
    order = an_order(database, _fill(max_rate=10_000))
    diary.on_event = lambda event: setattr(diary, "ask", "pause") if isinstance(event, BackfillPlanned) else None
    stopped = one_slice(order, diary)
    assert isinstance(stopped, StopReached)
    assert database.value("SELECT count(*) FROM users WHERE role IS NULL") > 0
    assert (
        database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'headgate run%' AND datname = current_database()"
        )
        == 0
    )
    diary.ask, diary.on_event = None, lambda _: None
    assert isinstance(to_the_end(replace(order, fence=2), diary), Finished)
    assert database.value("SELECT count(*) FROM users WHERE role IS NULL") == 0


def test_the_speed_is_asked_for_while_it_runs(database: Database) -> None:
    users(database, ROWS)
    wanted: dict[str, Any] = {"max_rate": 1000}
    diary = Diary()
    diary.on_beat = lambda: wanted.update(max_rate=0)
    order = an_order(database, _fill(max_rate=1000), options={"speed": lambda: wanted, "profile": "fast"})
    assert isinstance(to_the_end(order, diary), Finished)
    assert diary.of(BackfillFinished)[0].seconds < ROWS / 1000 / 2


def test_a_refusal_fails_the_step_with_its_reason(database: Database) -> None:
    users(database, 10)
    failed = to_the_end(an_order(database, _fill(table="public.nobody")))
    assert isinstance(failed, StepFailed)
    assert "no table public.nobody" in failed.error.message


def test_a_row_that_fails_is_mended_and_the_step_retried(database: Database) -> None:
    users(database, 2000)
    database.execute("ALTER TABLE users ADD CONSTRAINT no_900 CHECK (id <> 900 OR counter = 0)")
    order = an_order(database, _fill(set="counter = counter + 1", where="true"))
    failed = to_the_end(order)
    assert isinstance(failed, StepFailed)
    assert failed.error.sqlstate == "23514"
    database.execute("ALTER TABLE users DROP CONSTRAINT no_900")
    assert isinstance(to_the_end(replace(order, fence=2)), Finished)
    assert database.rows("SELECT min(counter), max(counter) FROM users") == [(1, 1)]


def test_it_says_what_it_does() -> None:
    assert Backfill().describe(_fill()) == "Sets role = 'user' in public.users where role IS NULL, in small batches"


def test_the_checkpoint_has_the_same_name_in_every_attempt() -> None:
    run = UUID(int=7)
    assert job_of(run, "fill") == job_of(run, "fill")
    assert job_of(run, "fill") != job_of(run, "fill", "rollback")
