"""The page of the schema preview: what the rehearsal saw, or what the statements foresee, escaped and without colour alone."""

from app.catalog.preview import preview
from app.catalog.records import Column, Relation, Schema
from app.store import plans
from app.store.words import JobState
from tests.web.site import Site


def a_schema(*columns: str) -> Schema:
    made = tuple(Column(name=name, type="text") for name in columns)
    return Schema(relations={"public.users": Relation(name="public.users", kind="table", columns=made)})


def seen(basis, *columns: str, **also):
    return preview(a_schema("id"), a_schema("id", *columns), basis=basis, **also).as_json()


def page_of(site: Site, plan) -> str:
    page = site.browser("viewer").get(f"/plans/{plan.id}/preview")
    assert page.status_code == 200
    assert " style=" not in page.text
    return page.text


def test_before_an_analysis_it_says_what_will_stand_there(site: Site):
    plan = site.world.imported()
    assert "Nothing to compare yet" in page_of(site, plan)
    assert site.browser("outsider").get(f"/plans/{plan.id}/preview").status_code in {403, 404}


def test_what_is_foreseen_says_so_and_a_doubt_is_no_definition(site: Site):
    plan = site.world.imported()
    site.analysed(plan, details={"preview": seen("statements", "note", doubts={"public.users": ["statement 2 renames it"]})})
    page = page_of(site, plan)
    assert "foreseen, not rehearsed" in page
    assert "not certain before a rehearsal: statement 2 renames it" in page
    assert "note text" not in page.split('class="diff"')[1]


def test_what_the_rehearsal_saw_stands_before_what_was_foreseen(site: Site):
    plan = site.world.imported()
    site.analysed(plan, details={"preview": seen("statements", "foreseen")})
    revision = site.world.revision(plan)
    with site.world.sessions.begin() as session:
        row = plans.queue_rehearsal(session, revision.id, plan.target_id, now=site.world.clock.now())
        row.state, row.ok, row.result = JobState.DONE, True, {"ok": True, "preview": seen("rehearsal", "<b>note</b>")}
        row.finished_at = site.world.clock.now()
    page = page_of(site, plan)
    assert "seen in the rehearsal" in page
    assert "foreseen text" not in page
    assert "&lt;b&gt;note&lt;/b&gt;" in page
    assert "<b>note</b>" not in page
    for mark in ("0 new, 1 modified, 0 removed", "~ changed", '<span class="unseen"> added</span>', "<svg"):
        assert mark in page, mark


def test_a_rehearsal_that_stopped_on_its_way_shows_nothing_of_the_schema_that_it_left(site: Site):
    plan = site.world.imported()
    revision = site.world.revision(plan)
    with site.world.sessions.begin() as session:
        row = plans.queue_rehearsal(session, revision.id, plan.target_id, now=site.world.clock.now())
        row.state, row.ok, row.finished_at = JobState.DONE, False, site.world.clock.now()
        row.result = {"ok": False, "error": {"message": "x"}, "rollback": {"ran": False}, "preview": seen("rehearsal", "half")}
    assert "half text" not in page_of(site, plan)
