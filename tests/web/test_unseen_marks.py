"""A page never shows a character that nobody sees, wherever it comes from; a form sends back what it was given."""

from dataclasses import replace

import pytest

from app.actions.comment import comment
from app.actions.request_review import request_review
from app.plan.model import Brief
from app.web.unseen_marks import with_unseen_marked
from tests.doubles.world import a_plan, a_step
from tests.web.site import Forms, Site

OVERRIDE = "\u202e"


def test_names_titles_comments_texts_and_sql_show_their_marks_on_every_page_of_the_plan(site: Site):
    step = replace(a_step("s", sql=f"SELECT 1; -- {OVERRIDE}sql", undo=None), title=f"{OVERRIDE}title")
    plan = site.world.imported(replace(a_plan(f"{OVERRIDE}name", steps=(step,)), brief=Brief(summary=f"{OVERRIDE}brief")))
    site.analysed(plan)
    with site.world.work("author") as work:
        request_review(work, plan_id=plan.id)
        comment(work, plan_id=plan.id, body=f"{OVERRIDE}comment", step_id="s", line=1)
    browser = site.browser("author")
    mark = '<mark class="unseen-character" title="right-to-left override">U+202E</mark>'
    seen = ""
    for path in ("/", "/plans", "/search?q=name", *(f"/plans/{plan.id}{tab}" for tab in ("", "/steps", "/analysis", "/review"))):
        page = browser.get(path).text
        assert OVERRIDE not in page, path
        seen += page
    for word in ("name", "title", "comment", "brief", "sql"):
        assert f"{mark}{word}" in seen, word
    assert "<title>[U+202E]name" in seen
    form = Forms(browser.get(f"/plans/{plan.id}/steps/s").text).fields(f"/plans/{plan.id}/steps/s")
    assert form["title"] == f"{OVERRIDE}title"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u200bb", True),  # takes no room
        ("pay\u200cload", True),  # a joiner that joins nothing
        ("\u3164", True),  # a letter by name, blank on every screen
        ("\x1b[31m", True),
        ("caf\u00e9, \u05e9\u05dc\u05d5\u05dd, \u65e5\u672c\u8a9e", False),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", False),  # Persian, with the joiner where it belongs
        ("\U0001f469\u200d\U0001f4bb", False),
        ("tab\tand\nline", False),
    ],
)
def test_what_only_hides_is_shown_and_what_belongs_to_the_script_stays(text, shown):
    assert ("unseen-character" in with_unseen_marked(f"<p>{text}</p>")) is shown


def test_attributes_and_text_fields_keep_what_they_hold():
    page = f'<input value="{OVERRIDE}"><textarea>\n{OVERRIDE}</textarea><option value="1">{OVERRIDE}x'
    assert with_unseen_marked(page) == page.replace(f">{OVERRIDE}x", ">[U+202E]x")
