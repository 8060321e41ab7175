"""The page of a rehearsal: whether it runs, who waits, what breaks, and whether there is a way back."""

from typing import Any

import pytest
from sqlalchemy import select

from app.store import plans
from app.store.tables import Plan, Rehearsal
from app.store.words import JobState
from app.web.views.rehearsals import rehearsal_page, relation_locks, waits
from tests.web.site import Forms, Site


def a_statement(index: int = 1, **also: Any) -> dict[str, Any]:
    return {
        "index": index,
        "step": "add-note",
        "phase": "expand",
        "sql": "ALTER TABLE users ADD COLUMN note text",
        "duration_ms": 4.2,
        "locks": [{"relation": "public.users", "mode": "ACCESS EXCLUSIVE", "held_ms": 5.0}],
        "rewrites": [],
        "scans": [],
        "wal_bytes": 2048,
        "error": None,
        **also,
    }


def a_result(**also: Any) -> dict[str, Any]:
    return {
        "contract": 1,
        "ok": True,
        "server": {"target": "17.6", "shadow": "18.6"},
        "statements": [a_statement()],
        "schema": {
            "before": "w",
            "after": "x",
            "diff": [{"object": "public.users.note", "kind": "column", "change": "added", "definition": "text"}],
        },
        "rollback": {"ran": True, "schema_restored": True, "grade": "lossless", "left_over": [], "duration_ms": 9.0},
        "queries": {"known": 3, "planned": 3, "not_planned": [], "broken": [], "changed": []},
        "steps": [
            {
                "step": "ask",
                "kind": "gate",
                "outcome": "skipped",
                "text": "A person confirms it.",
                "duration_ms": 0.0,
                "error": None,
            }
        ],
        "notes": ["One table was left out."],
        "error": None,
        **also,
    }


BROKEN = {
    "queryid": "7",
    "query": "SELECT note FROM users WHERE id = $1",
    "calls": 4200,
    "broken_by": {"statement": 1, "phase": "expand"},
    "error": {"message": 'column "note" does not exist', "sqlstate": "42703"},
}


def rehearsed(site: Site, result: dict[str, Any] | None, state: JobState = JobState.DONE) -> Plan:
    plan = site.world.imported()
    revision = site.world.revision(plan)
    with site.world.sessions.begin() as session:
        row: Rehearsal = plans.queue_rehearsal(session, revision.id, plan.target_id, now=site.world.clock.now())
        row.state, row.result = state, result
        row.ok = None if result is None else result["ok"]
        row.error = {"message": "The shadow server is away.", "hint": "Start it."} if state is JobState.FAILED else None
        row.finished_at = site.world.clock.now() if state in (JobState.DONE, JobState.FAILED) else None
    return plan


def test_before_a_rehearsal_an_author_can_ask_for_one(site: Site):
    plan = site.world.imported()
    page = site.browser("author").get(f"/plans/{plan.id}/rehearsal")
    assert page.status_code == 200
    assert "Not rehearsed yet" in page.text
    assert site.browser("outsider").get(f"/plans/{plan.id}/rehearsal").status_code in {403, 404}


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
def test_while_it_runs_the_page_follows_and_offers_no_second_one(site: Site, state):
    plan = rehearsed(site, None, state)
    page = site.browser("author").get(f"/plans/{plan.id}/rehearsal").text
    assert 'hx-trigger="every 1s"' in page
    assert '<meta http-equiv="refresh" content="2">' in page
    assert "Rehearse again" not in page


def test_one_that_could_not_be_made_says_why_and_how_to_go_on(site: Site):
    plan = rehearsed(site, None, JobState.FAILED)
    page = site.browser("author").get(f"/plans/{plan.id}/rehearsal").text
    assert "The shadow server is away." in page
    assert "Start it." in page


def test_a_good_one_shows_everything_that_it_saw(site: Site):
    plan = rehearsed(site, a_result())
    author = site.browser("author")
    page = author.get(f"/plans/{plan.id}/rehearsal").text
    for text in (
        "It runs, back and forward again: 1 statement in 4.2 ms",
        "ACCESS EXCLUSIVE on public.users for 5.0 ms: reads and writes wait",
        "2.0 kB WAL",
        "public.users.note",
        "One table was left out.",
        "A person confirms it.",
        "PostgreSQL 18.6",
        "The rollback restores the schema exactly",
    ):
        assert text in page, text
    assert " style=" not in page
    assert Forms(page).fields(f"/plans/{plan.id}/rehearse")["target_id"] == str(plan.target_id)


def test_a_viewer_reads_it_and_is_offered_nothing(site: Site):
    plan = rehearsed(site, a_result())
    page = site.browser("viewer").get(f"/plans/{plan.id}/rehearsal").text
    assert "It runs, back and forward again" in page
    assert "Rehearse again" not in page


def test_a_query_that_breaks_is_named_with_its_calls_and_error(site: Site):
    plan = rehearsed(site, a_result(queries={"known": 3, "planned": 3, "not_planned": [], "broken": [BROKEN], "changed": []}))
    page = site.browser("viewer").get(f"/plans/{plan.id}/rehearsal").text
    assert "It runs, and 1 known query breaks" in page
    assert "SELECT note FROM users" in page
    assert "4,200" in page
    assert "42703" in page


def test_a_query_that_changes_its_plan_is_shown_with_both_plans_and_its_cost(site: Site):
    changed = {"queryid": "8", "query": "SELECT 1 FROM users /* <b> */", "calls": 900, "cost_before": 8.3, "cost_after": 83.0}
    changed |= {"plan_before": "Index Scan using i on users", "plan_after": "Seq Scan on users"}
    changed |= {"changed_by": {"statement": 1, "phase": "expand"}}
    queries = {"known": 3, "planned": 3, "not_planned": [], "broken": [], "changed": [changed], "compares_costs": True}
    page = site.browser("viewer").get(f"/plans/{rehearsed(site, a_result(queries=queries)).id}/rehearsal").text
    assert "/* &lt;b&gt; */" in page
    assert "Index Scan using i on users" in page
    assert "10.0 times more" in page


@pytest.mark.parametrize(
    ("also", "tone", "sentence"),
    [
        ({}, "is-ok", "It runs, back and forward again"),
        ({"ok": False, "error": {"message": "no such table"}}, "is-bad", "It does not run as written"),
        ({"rollback": {"ran": True, "schema_restored": False, "grade": "lossless"}}, "is-bad", "does not bring the schema back"),
        ({"rollback": {"ran": False, "grade": "irreversible", "reason": "It drops rows."}}, "is-warn", "was not rehearsed"),
    ],
)
def test_the_verdict_is_the_worst_of_what_was_seen(also, tone, sentence):
    page = rehearsal_page(a_result(**also))
    assert page.tone == tone
    assert sentence in page.sentence


@pytest.mark.parametrize(
    ("mode", "who"),
    [("ACCESS EXCLUSIVE", "reads and writes"), ("SHARE", "writes"), ("SHARE UPDATE EXCLUSIVE", ""), ("something new", "")],
)
def test_a_lock_says_who_waits(mode, who):
    assert waits(mode) == who


def test_relations_are_sorted_by_how_long_others_wait():
    quick = {"relation": "a", "mode": "ACCESS EXCLUSIVE", "held_ms": 1.0}
    slow = {"relation": "b", "mode": "SHARE", "held_ms": 9.0}
    harmless = {"relation": "c", "mode": "SHARE UPDATE EXCLUSIVE", "held_ms": 900.0}
    rows = relation_locks([{"locks": [harmless, quick]}, {"locks": [slow]}])
    assert [(row.relation, row.held_ms) for row in rows] == [("b", 9.0), ("a", 1.0), ("c", 0.0)]
    assert rows[0].percent == 100


def crash_tested(**also: Any) -> dict[str, Any]:
    kills = [
        {"point": 1, "event": "step_started", "step": "add-note"},
        {"point": 2, "event": "unit_committed", "step": "add-note"},
    ]
    return {"points": 2, "tried": 2, "resumed": 2, "failed": [], "kills": kills, "stopped": "", **also}


def test_a_crash_test_is_asked_for_and_every_safe_point_is_shown(site: Site):
    plan = rehearsed(site, a_result(crash_test=crash_tested()))
    page = site.browser("author").get(f"/plans/{plan.id}/rehearsal").text
    assert "Resumed correctly 2 of 2 times after its worker was killed, once at every safe point." in page
    assert "resumed correctly 2 of 2" in page
    assert "unit committed" in page
    site.browser("author").post(f"/plans/{plan.id}/rehearse", data={"crash_test": "1", "target_id": str(plan.target_id)})
    with site.world.sessions() as session:
        of_plan = select(Rehearsal).where(Rehearsal.revision_id == site.world.revision(plan).id)
        row = session.scalars(of_plan.order_by(Rehearsal.id.desc())).first()
        assert row is not None
        assert (row.state, row.crash_test) == (JobState.QUEUED, True)
    assert "killed at every safe point" in site.browser("viewer").get(f"/plans/{plan.id}/rehearsal").text


def test_a_kill_after_which_the_run_was_not_resumed_comes_first_with_its_reason(site: Site):
    lost = [{"point": 2, "event": "unit_committed", "step": "add-note", "reason": "It left the INVALID index <i>."}]
    plan = rehearsed(site, a_result(crash_test=crash_tested(resumed=1, failed=lost, stopped="Stopped after 120 s.")))
    page = site.browser("author").get(f"/plans/{plan.id}/rehearsal").text
    assert "It runs, but was not resumed as it should be after 1 kill" in page
    assert "It left the INVALID index &lt;i&gt;." in page
    assert page.index("INVALID index") < page.index("step started")


def test_a_crash_test_is_asked_for_by_the_api_also_of_one_that_waits(site: Site):
    plan, author = site.world.imported(), site.browser("author")
    first = author.post(f"/api/v1/plans/{plan.id}/rehearse").json()["rehearsal"]
    assert author.post(f"/api/v1/plans/{plan.id}/rehearse?crash_test=true").json()["rehearsal"] == first
    with site.world.sessions() as session:
        assert session.get_one(Rehearsal, first).crash_test
