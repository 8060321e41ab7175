"""Every page of the planning half in a real browser: no fault of accessibility, nothing wider than the screen, the policy kept."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.actions.comment import comment
from app.actions.request_review import request_review
from app.analysis.foresight import foresee
from app.catalog.preview import preview
from app.sql.split import split
from tests.browser.conftest import Served
from tests.doubles.shop import a_shop
from tests.doubles.world import a_plan

PHONE = {"viewport": {"width": 390, "height": 844}}
WIDE = {"viewport": {"width": 1440, "height": 900}}
#: narrower windows, the last is what a screen of 1440 has at 200 % zoom
BETWEEN = (1024, 880, 720)
UGLY_NAME = 'Add <b>notes</b> & "more" \u202eevil\u202c ' + "a_very_long_name_" * 4
UGLY_SQL = f"ALTER TABLE users ADD COLUMN {'c' * 63} text; ALTER TABLE users ALTER COLUMN {'c' * 63} SET NOT NULL"
OPINION = {
    "version": "2.70.0",
    "remarks": [{"rule": "prefer-robust-stmts", "level": "Warning", "message": "Missing IF NOT EXISTS", "statement": 1}],
}
LOOKS = [
    pytest.param({**WIDE, "color_scheme": "light"}, id="wide-light"),
    pytest.param({**PHONE, "color_scheme": "dark"}, id="phone-dark"),
]


def _check(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200, path
    results = Axe().run(page)
    assert results.violations_count == 0, f"{path}: {results.generate_report()}"
    size = page.viewport_size
    for width in (size["width"], *(BETWEEN if size == WIDE["viewport"] else ())):
        page.set_viewport_size({**size, "width": width})
        too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert too_wide <= 0, f"{path} is {too_wide} px wider than a screen of {width}"
    page.set_viewport_size(size)
    assert page.console_errors == [], path


@pytest.mark.parametrize("look", LOOKS)
def test_no_page_has_a_fault_of_accessibility_or_breaks_its_width(served: Served, look):
    world = served.site.world
    plan = world.imported(a_plan(UGLY_NAME, sql=UGLY_SQL))
    after, doubts = foresee(split("CREATE TABLE notes (id int PRIMARY KEY); ALTER TABLE users ADD COLUMN note int"), a_shop())
    served.site.analysed(
        plan,
        details={"preview": preview(a_shop(), after, basis="statements", doubts=doubts).as_json(), "second_opinion": OPINION},
    )
    with world.work("author") as work:
        request_review(work, plan_id=plan.id)
        comment(work, plan_id=plan.id, body="مرحبا, why?", step_id="add-note", line=1)
    backup = world.backed_up()
    page = served.page("admin", **look)
    tabs = [
        "",
        "/steps",
        "/analysis",
        "/preview",
        "/review?step=add-note&line=1",
        "/checklist",
        "/start",
        "/revisions",
        "/edit",
        "/brief",
    ]
    paths = [
        "/",
        "/plans",
        "/plans/import",
        *(f"/plans/{plan.id}{tab}" for tab in tabs),
        f"/plans/{plan.id}/steps/add-note",
        "/targets",
        f"/targets/{world.production.id}",
        f"/targets/{world.production.id}/edit",
        f"/environments/{world.production.environment_id}",
        "/projects/new",
        f"/backups/{backup}",
        "/people",
        "/audit?verify=1",
        "/settings",
        "/search?q=note",
    ]
    for path in paths:
        _check(page, path)


@pytest.mark.parametrize("look", LOOKS)
def test_the_sign_in_has_none_either(served: Served, look):
    _check(served.page(None, **look), "/sign-in")


def test_a_plan_goes_from_pasted_sql_to_a_draft_to_a_saved_plan(served: Served):
    page = served.page("author")
    page.goto("/plans/import")
    page.get_by_label("Name of the plan").fill("Add a note")
    page.get_by_label("SQL", exact=True).fill("ALTER TABLE users ADD COLUMN note text;")
    page.get_by_role("button", name="Read it and show the draft").click()
    expect(page.get_by_role("heading", name="Draft of Add a note")).to_be_visible()
    page.get_by_role("button", name="Save as a plan").click()
    expect(page.get_by_role("heading", name="Add a note", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Choose where it is meant to run")).to_be_visible()
    assert page.console_errors == []


def test_without_javascript_the_review_is_read_and_decided(served: Served):
    world, plan = served.site.world, served.site.world.imported()
    served.site.analysed(plan)
    with world.work("author") as work:
        request_review(work, plan_id=plan.id)
    page = served.page("approver", java_script_enabled=False)
    page.goto(f"/plans/{plan.id}/review")
    page.get_by_label("Comment on line 1").first.click()
    page.get_by_role("textbox", name="Comment on line 1").fill("Why text?")
    page.get_by_role("button", name="Comment", exact=True).first.click()
    expect(page.get_by_text("Why text?")).to_be_visible()
    page.get_by_role("button", name="Approve revision 1").click()
    expect(page.get_by_text("Your approval is recorded")).to_be_visible()


def test_the_rail_moves_on_by_itself_when_the_analysis_is_done(served: Served):
    plan = served.site.world.imported()
    page = served.page("author")
    page.goto(f"/plans/{plan.id}")
    expect(page.get_by_role("heading", name="Being analysed")).to_be_visible()
    served.site.analysed(plan)
    expect(page.get_by_role("heading", name="Rehearse it")).to_be_visible(timeout=8000)
    assert page.console_errors == []


def test_the_keyboard_leads_to_the_search_and_through_the_page(served: Served):
    served.site.world.imported()
    page = served.page("viewer")
    page.goto("/plans")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Control+k")
    field = page.get_by_role("searchbox")
    expect(field).to_be_focused()
    field.press_sequentially("note")
    expect(page.get_by_role("link", name="Add a note")).to_be_visible()


def test_what_was_opened_stays_open_when_its_part_is_replaced(served: Served):
    plan = served.site.world.imported()
    page = served.page("author")
    page.goto(f"/plans/{plan.id}/steps")
    page.locator("#rb-add-note summary").click()
    expect(page.locator("#rb-add-note")).to_have_attribute("open", "")
    page.evaluate(f"htmx.ajax('GET', '/plans/{plan.id}/steps', {{target: '#main', select: '#main', swap: 'outerHTML'}})")
    expect(page.locator("#rb-add-note")).to_have_attribute("open", "")
    expect(page.locator("#rb-index-note")).not_to_have_attribute("open", "")


def test_a_theme_that_was_chosen_wins_over_the_systems(served: Served):
    page = served.page("viewer", color_scheme="light")
    page.goto("/plans")
    page.get_by_label("Your menu, Viewer").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
