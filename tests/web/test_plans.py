import pytest

from app.actions.edit_plan import edit_plan
from app.run.states import RunState
from app.web.views.plan_document import step_detail
from tests.doubles.world import a_plan, a_step
from tests.web.site import Forms, Site

TABS = ["", "/steps", "/analysis", "/review", "/checklist", "/revisions", "/runs", "/start"]


@pytest.mark.parametrize("tab", TABS)
def test_every_part_of_a_plan_answers_a_viewer_and_not_an_outsider(site: Site, tab):
    plan = site.world.imported()
    assert site.browser("viewer").get(f"/plans/{plan.id}{tab}").status_code == 200
    site.analysed(plan)
    page = site.browser("viewer").get(f"/plans/{plan.id}{tab}")
    assert page.status_code == 200
    assert "Verified and watched" in page.text
    assert " style=" not in page.text
    assert site.browser("outsider").get(f"/plans/{plan.id}{tab}").status_code == 404


def test_the_rail_is_a_part_of_its_own(site: Site):
    plan = site.world.imported()
    part = site.browser("viewer").get(f"/plans/{plan.id}/rail", headers={"hx-request": "true"})
    assert part.text.lstrip().startswith('<div id="rail"')
    assert 'hx-trigger="every 1s"' in part.text  # the analysis is queued


def test_one_next_action_leads_from_the_analysis_to_the_start(site: Site):
    world, plan = site.world, site.world.imported()
    author = site.browser("author")
    assert "Being analysed" in author.get(f"/plans/{plan.id}").text
    site.analysed(plan)
    assert "Rehearse it" in author.get(f"/plans/{plan.id}").text
    world.rehearsed(plan)
    assert "Ask for a review" in author.get(f"/plans/{plan.id}").text
    assert author.post(f"/plans/{plan.id}/request-review").status_code == 303
    assert "It waits for your review" in site.browser("approver").get(f"/plans/{plan.id}").text
    assert "It waits for your review" not in author.get(f"/plans/{plan.id}").text


def test_what_is_missing_is_listed_with_who_clears_it(site: Site):
    plan = site.world.imported()
    site.analysed(plan)
    page = site.browser("operator").get(f"/plans/{plan.id}").text
    assert "A fresh backup" in page
    assert "There is no backup of shop-production yet." in page
    assert "takes a person · " in page
    assert f'href="/targets/{site.world.production.id}#backups">Take a backup' in page


def test_a_plan_that_is_done_stays_approved_and_armed_whatever_its_run_changed(site: Site):
    plan = site.world.ready()
    run = site.world.started(plan)
    site.world.driven(run, RunState.MONITORING)
    site.world.looked_at(fingerprint="e" * 64)
    approver = site.browser("approver")
    page = approver.get(f"/plans/{plan.id}").text
    assert "Done, and being watched" in page
    assert '<b>Approved</b><span class="sub">1 of 1' in page
    assert f'<b>Armed</b><span class="sub">when run {run.id} began' in page
    assert "before the schema changed" not in page
    review = approver.get(f"/plans/{plan.id}/review").text
    assert "nothing left to decide" in review
    assert "no longer counts" not in review
    checklist = approver.get(f"/plans/{plan.id}/checklist").text
    assert "As it stood when" in checklist
    assert ">Tick<" not in checklist
    assert "It ran already." in site.browser("operator").get(f"/plans/{plan.id}/start").text


def test_a_schema_that_changed_makes_what_was_known_old_and_the_rail_says_so(site: Site):
    plan = site.world.ready()
    author = site.browser("author")
    assert "Ready to start" in site.browser("operator").get(f"/plans/{plan.id}").text
    site.world.looked_at(fingerprint="e" * 64)
    page = author.get(f"/plans/{plan.id}").text
    assert "Approval no longer counts" in page
    assert "low risk, before the schema changed" in page
    assert "went well, before the schema changed" in page
    assert "0 of 1, Approver&#39;s no longer counts: the target&#39;s schema changed since" in page
    assert "Analyse it again" in page
    assert "approval no longer counts" in author.get("/plans").text
    site.world.analysed(plan)
    assert "Rehearse it again" in author.get(f"/plans/{plan.id}").text
    site.world.rehearsed(plan)
    assert "A plan waits for your review" in site.browser("approver").get("/").text
    review = site.browser("approver").get(f"/plans/{plan.id}/review").text
    assert "Your approval no longer counts." in review
    assert "Approve revision 1 again" in review


def test_an_edit_after_the_run_begins_the_way_anew(site: Site):
    plan = site.world.ready()
    run = site.world.started(plan)
    site.world.driven(run, RunState.COMPLETED)
    with site.world.work("author") as work:
        edit_plan(work, plan_id=plan.id, content=a_plan("Another"), based_on=site.world.digest(plan))
    page = site.browser("author").get(f"/plans/{plan.id}").text
    assert f"run {run.id} did an earlier revision" in page
    assert "Being analysed" in page


def test_the_list_is_filtered_and_paged_on_the_server(site: Site):
    for number in range(53):
        site.world.imported(a_plan(f"Change {number}"))
    browser = site.browser("viewer")
    first = browser.get("/plans").text
    assert "53 plans, page 1 of 2" in first
    assert first.count('class="row-link"') == 50
    assert browser.get("/plans?page=2").text.count('class="row-link"') == 3
    assert browser.get("/plans?q=Change+52").text.count('class="row-link"') == 1
    assert "No plan matches" in browser.get("/plans?q=%25").text
    assert "No plan matches" in browser.get("/plans?state=approved").text
    assert browser.get("/plans?state=nonsense&page=-1&project=x").status_code == 200


def test_editing_one_step_makes_a_revision_and_shows_the_difference(site: Site):
    plan = site.world.imported()
    author = site.browser("author")
    form = Forms(author.get(f"/plans/{plan.id}/steps/add-note").text).fields(f"/plans/{plan.id}/steps/add-note")
    sql = "ALTER TABLE users ADD COLUMN note varchar(80)"
    answer = author.post(
        f"/plans/{plan.id}/steps/add-note", data={**form, "sql": sql, "rollback_sql": "ALTER TABLE users DROP COLUMN note"}
    )
    assert answer.status_code == 303, answer.text
    assert "done=revision-saved" in answer.headers["location"]
    page = author.get(f"/plans/{plan.id}/revisions").text
    assert "varchar(80)" in page
    assert 'class="add"' in page


def test_an_edit_based_on_an_old_page_is_refused_and_what_was_typed_stays(site: Site):
    plan = site.world.imported()
    first, second = site.browser("author"), site.browser("operator")
    old = Forms(second.get(f"/plans/{plan.id}/steps/add-note").text).fields(f"/plans/{plan.id}/steps/add-note")
    first.post(f"/plans/{plan.id}/steps/add-note", data={**old, "sql": "SELECT 1", "rollback_sql": "SELECT 2"})
    answer = second.post(f"/plans/{plan.id}/steps/add-note", data={**old, "sql": "SELECT 3", "rollback_sql": "SELECT 2"})
    assert answer.status_code == 409
    assert "Revision 2 was made meanwhile" in answer.text
    assert "SELECT 3" in answer.text


def test_sql_that_does_not_parse_is_refused_in_the_editor(site: Site):
    plan = site.world.imported()
    author = site.browser("author")
    form = Forms(author.get(f"/plans/{plan.id}/steps/add-note").text).fields(f"/plans/{plan.id}/steps/add-note")
    answer = author.post(f"/plans/{plan.id}/steps/add-note", data={**form, "sql": "ALTER TABEL users", "rollback_sql": ""})
    assert answer.status_code >= 400
    assert "ALTER TABEL users" in answer.text
    assert site.world.revision(plan).number == 1


def test_the_plan_file_comes_out_and_goes_in_again_unchanged(site: Site):
    plan = site.world.imported()
    author = site.browser("author")
    text = author.get(f"/plans/{plan.id}/export.yaml").text
    answer = author.post(f"/plans/{plan.id}/edit", data={"text": text, "base_digest": site.world.digest(plan)})
    assert "done=nothing-changed" in answer.headers["location"]
    assert "# " in author.get(f"/plans/{plan.id}/export.md").text


def test_the_written_part_is_shown_as_text_never_as_markup(site: Site):
    plan = site.world.imported()
    author = site.browser("author")
    brief = {"base_digest": site.world.digest(plan), "summary": "**bold** <script>alert(1)</script> [x](javascript:alert(1))"}
    assert author.post(f"/plans/{plan.id}/brief", data=brief).status_code == 303
    page = author.get(f"/plans/{plan.id}").text
    assert "<strong>bold</strong>" in page
    assert "<script>alert" not in page
    assert 'href="javascript:' not in page


def test_a_viewer_is_offered_no_edit_and_refused_one(site: Site):
    plan = site.world.imported()
    viewer = site.browser("viewer")
    assert "Edit" not in viewer.get(f"/plans/{plan.id}/steps").text
    answer = viewer.post(f"/plans/{plan.id}/edit", data={"text": "x", "base_digest": "y"})
    assert answer.status_code == 403
    assert "takes the role author" in answer.text


def test_names_and_sql_are_escaped(site: Site):
    plan = site.world.imported(
        a_plan("<b>bold</b>", steps=(a_step("evil", sql="SELECT '<img src=x onerror=alert(1)>'", undo="SELECT 1"),))
    )
    page = site.browser("viewer").get(f"/plans/{plan.id}/steps").text
    assert "<img src=x" not in page
    assert "<b>bold</b>" not in page


def test_a_plan_of_500_steps_with_names_of_64_characters_is_shown(site: Site):
    steps = tuple(a_step(f"s{number:03d}-{'x' * 58}") for number in range(500))
    plan = site.world.imported(a_plan("Long", steps=steps))
    assert site.browser("viewer").get(f"/plans/{plan.id}/steps").text.count('id="step-s') == 500


def test_accepting_a_risk_makes_a_revision_with_the_reason(site: Site):
    plan = site.world.imported()
    answer = site.browser("author").post(
        f"/plans/{plan.id}/accept",
        data={
            "base_digest": site.world.digest(plan),
            "rule": "index-blocks-writes",
            "step": "index-note",
            "reason": "Nobody writes at night",
        },
    )
    assert answer.status_code == 303
    assert site.world.revision(plan).number == 2


def test_archiving_takes_it_off_the_list(site: Site):
    plan = site.world.imported()
    author = site.browser("author")
    author.post(f"/plans/{plan.id}/archive")
    assert "There is no plan yet" in author.get("/plans").text
    assert plan.name in author.get("/plans?state=archived").text


def test_a_plan_is_looked_at_for_another_target_of_its_project(site: Site):
    plan = site.world.imported()
    page = site.browser("viewer").get(f"/plans/{plan.id}/checklist?target={site.world.staging.id}").text
    assert "Checklist for shop-staging" in page
    assert f"?target={site.world.staging.id}" in page


def test_one_line_of_sql_is_one_line():
    assert step_detail(a_step("one", sql="SELECT 1;\n")) == "1 line of SQL"
    assert step_detail(a_step("two", sql="SELECT 1;\nSELECT 2;\n")) == "2 lines of SQL"
