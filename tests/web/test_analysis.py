"""The analysis on its page, and its worst moment wherever somebody decides by it."""

import dataclasses

import pytest

from app.analysis.basis import Basis
from app.catalog.records import QueryStatistics
from app.store.tables import Plan
from tests.doubles.shop import a_shop, sizes
from tests.doubles.world import a_plan, a_step
from tests.web.site import Site

QUERY = QueryStatistics(
    query_id=1, query="SELECT name FROM users WHERE id = $1", calls=9, total_ms=1, mean_ms=1, rows=9, calls_per_second=30.6
)
BUSY = dataclasses.replace(
    sizes(mebibytes=3_000, rows=20_000_000), queries=(QUERY,), has_statements=True, counted_seconds=720.0, is_since_last_look=True
)
BASIS = Basis(schema=a_shop(), statistics=BUSY, lock_timeout_ms=2000.0)
WORST = "about 4,200 statements would wait, the longest 2 min"


@pytest.fixture
def plan(site: Site) -> Plan:
    steps = (a_step("widen", sql="ALTER TABLE users ALTER COLUMN age TYPE bigint", undo=None),)
    made = site.world.imported(a_plan(steps=steps))
    site.analysed(made, BASIS)
    return made


@pytest.mark.parametrize("part", ["", "/analysis", "/review", "/steps"])
def test_the_head_of_every_page_of_a_plan_says_its_risk_with_its_number(site: Site, plan: Plan, part: str):
    page = site.browser("approver").get(f"/plans/{plan.id}{part}").text
    assert "high risk" in page
    assert f'#worst-moment">{WORST}</a>' in page


def test_the_analysis_shows_the_inputs_of_its_worst_moment(site: Site, plan: Plan):
    page = site.browser("approver").get(f"/plans/{plan.id}/analysis").text
    assert (
        "ACCESS EXCLUSIVE held 16.8 s to 2 min x 30.6 reads and writes a second (1 known statement, over the last 12 min)" in page
    )
    assert "Behind an older transaction the lock is asked for at most 2.0 s: 61 would queue." in page
    assert "Takes 17 s to 2 m 17 s, expected" in page


def test_the_review_says_the_worst_moment_and_where_it_is(site: Site, plan: Plan):
    page = site.browser("approver").get(f"/plans/{plan.id}/review").text
    assert "About 4,200 statements would wait, the longest 2 min: ALTER TABLE on public.users (step widen, line 1)." in page


def test_nobody_waits_is_said_as_well(site: Site):
    made = site.world.imported(a_plan(steps=(a_step("index", sql="CREATE INDEX CONCURRENTLY i ON users (age)"),)))
    site.analysed(made, BASIS)
    assert (
        "nobody would wait: no statement takes a lock that blocks reads or writes"
        in site.browser("author").get(f"/plans/{made.id}").text
    )
