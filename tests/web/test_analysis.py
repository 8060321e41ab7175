"""The analysis on its page, and its worst moment wherever somebody decides by it."""

import dataclasses
import html

import pytest

from app.analysis.analyse import analyse_script
from app.analysis.basis import Basis
from app.analysis.probes.probe import Answer, Probe
from app.analysis.uses import uses_of
from app.catalog.records import QueryStatistics
from app.store.tables import Plan
from tests.doubles.shop import a_shop, sizes
from tests.doubles.world import a_plan, a_step
from tests.web.site import Forms, Site

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
        "ACCESS EXCLUSIVE held 16.8 s to 2 min; 30.6 reads and writes a second (1 known statement, over the last 12 min)" in page
    )
    assert "Behind an older transaction the lock is asked for at most 2.0 s: 61 would queue." in page
    assert "Takes 17 s to 2 m 17 s, expected" in page


def test_the_review_says_the_worst_moment_and_where_it_is(site: Site, plan: Plan):
    page = site.browser("approver").get(f"/plans/{plan.id}/review").text
    assert "About 4,200 statements would wait, the longest 2 min: ALTER TABLE on public.users (step widen, line 1)." in page


NULLS = Answer(
    probe=Probe(
        kind="nulls",
        relation="public.users",
        found="{n} of public.users hold NULL in nickname",
        effect="SET NOT NULL fails",
        question="SELECT id FROM public.users WHERE nickname IS NULL",
        statement=1,
        step="fill",
    ),
    state="fails",
    count=10_000,
    is_more=True,
    columns=("id", "nickname"),
    sample=(("<script>alert(1)</script>", None),),
    took_ms=12.0,
)
UNKNOWN = dataclasses.replace(NULLS, state="not known", count=None, is_more=False, sample=(), reason="no answer within 5 s")
HOLDER = {
    "pid": 4711,
    "application": "billing <b>",
    "user": "app",
    "state": "idle in transaction",
    "query": "SELECT '<i>'",
    "transaction_seconds": 360.0,
    "locks": {"public.users": ["AccessShareLock"]},
}


def shown(site: Site, **details: object) -> str:
    steps = (a_step("fill", sql="ALTER TABLE users ALTER COLUMN nickname SET NOT NULL"),)
    made = site.world.imported(a_plan(steps=steps))
    site.analysed(made, BASIS, details)
    return site.browser("author").get(f"/plans/{made.id}/analysis").text


def test_what_the_rows_would_refuse_is_shown_with_some_of_them_escaped(site: Site):
    page = shown(site, preflight=[UNKNOWN.as_json(), NULLS.as_json()])
    assert "1 would be refused by the rows that are there, 1 not known" in page
    assert "more than 10,000 rows of public.users hold NULL in nickname: SET NOT NULL fails." in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert '<span class="quiet">NULL</span>' in page
    assert "Whether rows of public.users hold NULL in nickname is not known: no answer within 5 s." in page
    assert page.index("more than 10,000") < page.index("Whether rows of")


def test_who_is_in_the_way_is_shown_with_the_time_of_reading(site: Site):
    page = shown(site, running_now={"at": "2026-11-22T14:03:11+00:00", "sessions": [HOLDER], "hidden": 2})
    assert "pid 4711" in page
    assert "billing &lt;b&gt;" in page
    assert "idle in transaction, transaction open 6 m" in page
    assert "Holds <b>ACCESS SHARE</b> on <code>public.users</code>" in page
    assert 'title="2026-11-22 14:03:11 UTC"' in page
    assert "2 sessions hide their transactions from Headgate" in page


def test_where_nobody_is_in_the_way_that_is_said(site: Site):
    assert "Nobody held what the plan needs." in shown(site, running_now={"at": "2026-11-22T14:03:11+00:00"})


def test_who_uses_what_changes_is_shown_by_relation_and_column(site: Site):
    sql = "ALTER TABLE users DROP COLUMN email"
    made = site.world.imported(a_plan(steps=(a_step("drop", sql=sql),)))
    busy = dataclasses.replace(BUSY, queries=(dataclasses.replace(QUERY, query="SELECT email FROM users /* <b> */"),))
    analysis = analyse_script(sql, schema=a_shop(), statistics=busy)
    found = uses_of(analysis, schema=a_shop(), statistics=busy, publications={})
    site.analysed(made, BASIS, {"uses": [use.as_json() for use in found]})
    page = site.browser("author").get(f"/plans/{made.id}/analysis").text
    assert "Who uses what changes" in page
    assert "30.6 reads and 0.0 writes a second" in page
    assert '<b class="is-warn-t">email</b>' in page
    assert "/* &lt;b&gt; */" in page
    assert "view <code>public.v_users</code>" in page
    assert "uses what changes" in page


def test_the_api_impact_is_proposed_where_nobody_wrote_it_and_can_be_begun_with(site: Site, plan: Plan):
    browser = site.browser("author")
    words = "public.users.age</code> becomes bigint (was integer)"
    assert words in browser.get(f"/plans/{plan.id}").text
    assert words in browser.get(f"/plans/{plan.id}/brief").text
    begun = browser.get(f"/plans/{plan.id}/brief?take=api_impact").text
    assert "`public.users.age` becomes bigint (was integer)" in begun
    assert words not in begun
    form = Forms(begun).fields(f"/plans/{plan.id}/brief")
    assert browser.post(f"/plans/{plan.id}/brief", data={**form, "api_impact": "Nobody reads it."}).status_code == 303
    page = browser.get(f"/plans/{plan.id}").text
    assert "Nobody reads it." in page
    assert words not in page


def test_a_level_that_the_policy_changed_is_shown_as_changed(site: Site):
    made = site.world.imported(a_plan(steps=(a_step("index", sql="CREATE INDEX i ON users (age)"),)))
    site.analysed(made, dataclasses.replace(BASIS, severities={"index-blocks-writes": "low"}))
    browser = site.browser("author")
    assert "judged high; this environment's policy says low" in html.unescape(browser.get(f"/plans/{made.id}/analysis").text)
    review = html.unescape(browser.get(f"/plans/{made.id}/review").text)
    assert "judged high, low by this environment's policy" in review


def test_a_risk_that_is_taken_knowingly_stands_in_the_review(site: Site):
    sql = "-- headgate: allow index-blocks-writes nobody works at night\nCREATE INDEX i ON users (age)"
    made = site.world.imported(a_plan(steps=(a_step("index", sql=sql),)))
    site.analysed(made, BASIS)
    review = site.browser("author").get(f"/plans/{made.id}/review").text
    assert "Taken knowingly" in review
    assert "accepted: nobody works at night" in review


def test_nobody_waits_is_said_as_well(site: Site):
    made = site.world.imported(a_plan(steps=(a_step("index", sql="CREATE INDEX CONCURRENTLY i ON users (age)"),)))
    site.analysed(made, BASIS)
    assert (
        "nobody would wait: no statement takes a lock that blocks reads or writes"
        in site.browser("author").get(f"/plans/{made.id}").text
    )


def test_a_second_opinion_is_marked_as_such_and_its_text_is_escaped(site: Site):
    made = site.world.imported()
    remark = {"rule": "r", "level": "Warning", "message": "<script>alert(1)</script>", "statement": 1, "ours": ["opaque"]}
    site.analysed(made, BASIS, {"second_opinion": {"version": "2.70.0", "remarks": [remark]}})
    page = site.browser("viewer").get(f"/plans/{made.id}/analysis").text
    assert "Second opinion" in page
    assert "not Headgate&#39;s" in page or "not Headgate's" in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    site.analysed(made, BASIS, {"second_opinion": {"missing": "squawk is not installed beside Headgate: pip install squawk-cli"}})
    assert "None: squawk is not installed" in site.browser("viewer").get(f"/plans/{made.id}/analysis").text
