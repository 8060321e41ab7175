"""The page of a watch: the verdict first, statements sorted by harm with their table, the checklist with its forms, the end."""

from datetime import timedelta
from typing import Any

from app.monitoring.differences import Comparison, DatabaseDifference, IndexDifference, StatementDifference, TableDifference
from app.monitoring.verdict import verdict
from app.run.states import RunState
from app.store import snapshots
from app.store.tables import Run
from app.store.tables.snapshots import MonitoringItem
from app.store.words import ItemState, Window
from app.web.views.dumbbells import dumbbells, place
from tests.web.site import Forms, Site

FINDING = {
    "item_id": "no-migration-errors",
    "window": "1h",
    "state": "failed",
    "sentence": "Step add-note failed.",
    "figures": {},
}


def a_statement(key: str, before: float, after: float, **also: Any) -> StatementDifference:
    values: dict[str, Any] = {
        "key": key,
        "query": f"SELECT {key} FROM users",
        "presence": "both",
        "calls_before": 500,
        "calls_after": 500,
        "mean_before_ms": before,
        "mean_after_ms": after,
        "ratio": after / before,
        "t": 9.0 if after > before else 0.0,
        "delta_ms": after - before,
        "blocks_ratio": after / before,
        "added_load": after - before,
        "share_before": 0.5,
    }
    return StatementDifference(**(values | also))


def a_comparison(*statements: StatementDifference) -> Comparison:
    table = TableDifference(
        name="public.users", bytes_before=10_000_000, bytes_after=12_000_000, indexes_before=1, indexes_after=2, rows_after=300_000.0,
        dead_rows_after=70, vacuum_at_dead_rows=60_000.0, last_vacuum=None, sequential_scans=4, index_scans=900, rows_written=5,
    )  # fmt: skip
    index = IndexDifference(
        name="public.users_role_idx", relation="public.users", presence="new", scans=17, scans_before=None, bytes=2_000_000,
        is_valid=True, is_building=False, is_exempt=False, last_scan=None,
    )  # fmt: skip
    database = DatabaseDifference(
        commits_before=80.0, commits_after=82.5, transactions_before=1000, transactions_after=2000, rollbacks_before=1,
        rollbacks_after=3, deadlocks_before=0, deadlocks_after=0, fatal_after=0, bytes_before=1, bytes_after=2, connections=9,
        connections_usable=97, lock_waiters=0, oldest_transaction_seconds=0.1,
    )  # fmt: skip
    return Comparison(
        before_at="2026-03-02T08:00:00+00:00", after_at="2026-03-02T09:00:00+00:00", seconds_before=600.0, seconds_after=600.0,
        has_statements=True, control_factor=1.0, control_size=12, coverage=1.0, statements=statements,
        tables={"public.users": table}, indexes={"public.users_role_idx": index}, database=database,
    )  # fmt: skip


def watched(site: Site, comparison: Comparison | None = None, state: RunState = RunState.MONITORING) -> Run:
    world = site.world
    run = world.started()
    world.driven(run, state, steps={"add-note": "succeeded"})
    now = world.clock.now()
    with world.sessions.begin() as session:
        session.get_one(Run, run.id).finished_at = now
        if comparison is not None:
            kept = {**verdict(comparison).as_json(), "comparison": comparison.as_json()}
            for window, judged in ((Window.BEFORE, None), (Window.NOW, kept)):
                snapshots.keep_metrics(
                    session, run_id=run.id, target_id=run.target_id, window=window, content={}, verdict=judged, now=now
                )
            snapshots.set_item(
                session, run.id, "no-migration-errors", Window.HOUR, state=ItemState.FAILED, figures=FINDING, now=now
            )
            snapshots.set_item(session, run.id, "index-usage", Window.WEEK, state=ItemState.PENDING, figures=None, now=now)
    return run


def item(site: Site, run: Run, item_id: str, window: Window) -> MonitoringItem:
    with site.world.sessions() as session:
        return session.get_one(MonitoringItem, (run.id, item_id, window))


def test_without_figures_the_page_says_so(site: Site):
    page = site.browser("viewer").get(f"/runs/{watched(site).id}/monitoring")
    assert page.status_code == 200
    assert "No figures were taken" in page.text


def test_what_got_worse_is_said_first_and_stands_above_what_did_not(site: Site):
    run = watched(site, a_comparison(a_statement("calm", 2.0, 2.0), a_statement("slow", 2.0, 9.0)))
    page = site.browser("viewer").get(f"/runs/{run.id}/monitoring").text
    assert "<h2>Something got worse</h2>" in page
    bells = page.partition('class="bells"')[2]
    assert bells.index("SELECT slow FROM users") < bells.index("SELECT calm FROM users")
    assert "4.50x of the expected" in bells
    # every chart has its table
    table = page.partition('id="statements-table"')[2]
    assert "SELECT slow FROM users" in table
    assert "500 then 500" in table
    assert " style=" not in page


def test_a_calm_watch_is_said_to_be_fine_with_its_tables_indexes_and_database(site: Site):
    run = watched(site, a_comparison(a_statement("calm", 2.0, 2.0), a_statement("also", 1.0, 1.0)))
    page = site.browser("viewer").get(f"/runs/{run.id}/monitoring").text
    assert "<h2>Nothing got worse</h2>" in page
    for text in ("public.users_role_idx", "11 MB", "82.5", "0.15% of 2,000", "12 statements off the plan"):
        assert text in page, text


def test_each_window_has_its_items_with_what_headgate_found(site: Site):
    run = watched(site, a_comparison())
    page = site.browser("viewer").get(f"/runs/{run.id}/monitoring").text
    for text in ("The first hour", "The first day", "The first week", "Step add-note failed.", "Table size reasonable"):
        assert text in page, text
    assert 'name="state"' not in page  # a viewer sets nothing
    assert "Operators of Shop can set items" in page


def test_a_person_says_how_an_item_stands_and_is_named(site: Site):
    run = watched(site, a_comparison())
    operator = site.browser("operator")
    action = f"/runs/{run.id}/monitoring/1w.index-usage"
    assert "note" in Forms(operator.get(f"/runs/{run.id}/monitoring").text).fields(action)
    answer = operator.post(action, data={"state": "passed", "note": "seen in the plan"})
    assert answer.status_code == 303
    assert item(site, run, "index-usage", Window.WEEK).state is ItemState.PASSED
    page = operator.get(f"/runs/{run.id}/monitoring").text
    assert "Operator" in page
    assert "seen in the plan" in page


def test_to_pass_what_headgate_found_failed_needs_a_reason_and_stays_visible(site: Site):
    run = watched(site, a_comparison())
    operator = site.browser("operator")
    action = f"/runs/{run.id}/monitoring/1h.no-migration-errors"
    refused = operator.post(action, data={"state": "passed", "note": ""})
    assert refused.status_code == 422
    assert "aria-invalid" in refused.text
    assert item(site, run, "no-migration-errors", Window.HOUR).state is ItemState.FAILED
    assert operator.post(action, data={"state": "passed", "note": "a known test"}).status_code == 303
    assert item(site, run, "no-migration-errors", Window.HOUR).state is ItemState.OVERRIDDEN
    assert "overridden" in operator.get(f"/runs/{run.id}/monitoring").text


def test_a_viewer_sets_nothing_and_ends_nothing(site: Site):
    run = watched(site, a_comparison())
    viewer = site.browser("viewer")
    assert viewer.post(f"/runs/{run.id}/monitoring/1w.index-usage", data={"state": "passed"}).status_code == 403
    assert viewer.post(f"/runs/{run.id}/monitoring/close", data={"note": "x"}).status_code == 403
    assert site.browser("outsider").get(f"/runs/{run.id}/monitoring").status_code in {403, 404}
    assert site.world.run(run).state is RunState.MONITORING


def test_to_end_the_watch_over_open_items_needs_a_note(site: Site):
    run = watched(site, a_comparison())
    operator = site.browser("operator")
    refused = operator.post(f"/runs/{run.id}/monitoring/close", data={"note": ""})
    assert refused.status_code == 422
    assert site.world.run(run).state is RunState.MONITORING
    assert operator.post(f"/runs/{run.id}/monitoring/close", data={"note": "looked at by hand"}).status_code == 303
    assert site.world.run(run).state is RunState.COMPLETED
    assert "End the watch" not in operator.get(f"/runs/{run.id}/monitoring").text


def test_a_stale_pages_item_is_refused_with_how_the_run_stands(site: Site):
    run = watched(site, a_comparison(), state=RunState.COMPLETED)
    answer = site.browser("operator").post(f"/runs/{run.id}/monitoring/1w.index-usage", data={"state": "passed"})
    assert answer.status_code == 409
    assert "completed" in answer.text


def test_a_window_that_is_over_says_so(site: Site):
    run = watched(site, a_comparison())
    site.world.clock.advance(timedelta(hours=2).total_seconds())
    page = site.browser("viewer").get(f"/runs/{run.id}/monitoring").text
    assert "ended" in page.partition('id="window-1h"')[2].partition('id="window-24h"')[0]


def test_twice_as_slow_is_the_same_distance_everywhere():
    assert place(1, 1, 100) == 3.0
    assert place(100, 1, 100) == 97.0
    assert place(10, 1, 100) == 50.0
    assert place(None, 1, 100) is None
    assert place(5, 5, 5) == 50.0


def test_a_new_statement_has_one_end_and_no_expectation():
    new = a_statement("fresh", 1.0, 1.0, presence="new", calls_before=0, mean_before_ms=None, ratio=None, t=None, delta_ms=None)
    comparison = a_comparison(new)
    (bell,) = dumbbells(comparison, verdict(comparison))
    assert (bell.x_before, bell.x_expected, bell.word) == (None, None, "new")
    assert bell.x_after is not None
