"""Predictions beside what happened, on a page and for scripts."""

import pytest

from app.store import estimates
from tests.web.site import Site


@pytest.fixture
def scored(site: Site) -> Site:
    run = site.world.started()
    row = {
        "target_id": run.target_id,
        "run_id": run.id,
        "step_id": "add-note",
        "statement": 1,
        "command": "ALTER TABLE",
        "relation": "public.users",
        "work": "rewrite",
        "table_bytes": 100 * 1024**2,
        "low_ms": 560.0,
        "expected_ms": 1180.0,
        "high_ms": 4550.0,
        "real_ms": 1000.0,
        "at": site.world.clock.now(),
    }
    short = {**row, "statement": 2, "work": "metadata", "table_bytes": 0, "real_ms": 2.0, "low_ms": 3.0}
    with site.world.sessions.begin() as session:
        estimates.keep(session, [row, short])
    return site


def test_the_page_says_how_good_the_last_estimates_were(scored: Site):
    page = scored.browser("viewer").get(f"/targets/{scored.world.production.id}/estimates").text
    assert "Median error of the last one on this server: 18 %." in page
    assert "measured here on 1 statement" in page
    assert "too short to tell" in page


def test_scripts_get_the_same_figures(scored: Site):
    seen = scored.browser("viewer").get(f"/api/v1/targets/{scored.world.production.id}/estimates").json()
    assert (seen["count"], round(seen["median_error"], 2)) == (1, 0.18)
    assert {line["work"] for line in seen["estimates"]} == {"rewrite", "metadata"}


def test_where_nothing_ran_yet_the_page_says_so(site: Site):
    page = site.browser("viewer").get(f"/targets/{site.world.staging.id}/estimates").text
    assert "Nothing has run on this server yet" in page


def test_another_projects_database_is_not_shown(scored: Site):
    assert scored.browser("outsider").get(f"/targets/{scored.world.production.id}/estimates").status_code in {403, 404}
