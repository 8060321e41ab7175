import pytest

from app.actions.request_review import request_review
from app.store.tables import Plan
from tests.web.site import Forms, Site


@pytest.fixture
def plan(site: Site) -> Plan:
    made = site.world.imported()
    site.analysed(made)
    with site.world.work("author") as work:
        request_review(work, plan_id=made.id)
    return made


def test_the_review_says_what_a_reviewer_decides_by_in_its_order(site: Site, plan: Plan):
    page = site.browser("approver").get(f"/plans/{plan.id}/review").text
    places = [
        page.index(f"<h2>{title}</h2>")
        for title in ("What changes", "The worst moment", "What breaks", "How we go back", "Proof")
    ]
    assert places == sorted(places)
    assert "SHARE held for an unknown time" in page


def test_an_approval_is_bound_to_the_digest_of_the_page(site: Site, plan: Plan):
    browser = site.browser("approver")
    fields = Forms(browser.get(f"/plans/{plan.id}/review").text).fields(f"/plans/{plan.id}/approve")
    assert fields["digest"] == site.world.digest(plan)
    answer = browser.post(f"/plans/{plan.id}/approve", data={**fields, "note": "Fine"})
    assert answer.status_code == 303
    page = browser.get(f"/plans/{plan.id}/review").text
    assert "Approver" in page
    assert "Fine" in page


def test_who_has_approved_is_told_so_and_offered_the_opposite_only(site: Site, plan: Plan):
    browser, path = site.browser("approver"), f"/plans/{plan.id}/review"
    browser.post(f"/plans/{plan.id}/approve", data={"digest": site.world.digest(plan)})
    page = browser.get(path).text
    assert "You approved this revision." in page
    assert f'action="/plans/{plan.id}/approve"' not in page
    fields = Forms(page).fields(f"/plans/{plan.id}/request-changes")
    assert browser.post(f"/plans/{plan.id}/request-changes", data={**fields, "note": "On second thought"}).status_code == 303
    page = browser.get(path).text
    assert "You asked for changes to this revision." in page
    assert "Approving it takes your request back." in page
    assert f'action="/plans/{plan.id}/approve"' in page


def test_what_is_not_analysed_is_not_offered_for_approval(site: Site):
    made = site.world.imported()
    with site.world.work("author") as work:
        request_review(work, plan_id=made.id)
    page = site.browser("approver").get(f"/plans/{made.id}/review").text
    assert "It can&#39;t be approved before it is analysed for shop-production" in page
    assert "Approve revision" not in page


def test_a_stale_page_can_not_approve_what_it_did_not_show(site: Site, plan: Plan):
    browser = site.browser("approver")
    answer = browser.post(f"/plans/{plan.id}/approve", data={"digest": "0" * 64})
    assert answer.status_code == 409
    assert "not what your page showed" in answer.text


def test_the_author_is_told_that_their_own_decision_does_not_count(site: Site, plan: Plan):
    author = site.browser("author")
    page = author.get(f"/plans/{plan.id}/review").text
    assert f'action="/plans/{plan.id}/approve"' not in page
    answer = author.post(f"/plans/{plan.id}/approve", data={"digest": site.world.digest(plan)})
    assert answer.status_code == 403


def test_asking_for_changes_needs_a_reason_and_the_author_sees_it(site: Site, plan: Plan):
    browser, digest = site.browser("approver"), site.world.digest(plan)
    refused = browser.post(f"/plans/{plan.id}/request-changes", data={"digest": digest, "note": ""})
    assert refused.status_code == 422
    assert "Say why" in refused.text
    assert browser.post(f"/plans/{plan.id}/request-changes", data={"digest": digest, "note": "Too slow"}).status_code == 303
    assert "Too slow" in site.browser("author").get(f"/plans/{plan.id}").text
    assert "Changes were asked for" in site.browser("author").get("/").text


def test_a_line_number_opens_a_comment_form_there_without_javascript(site: Site, plan: Plan):
    browser = site.browser("operator")
    page = browser.get(f"/plans/{plan.id}/review?step=add-note&line=1").text
    assert "Comment on line 1" in page
    answer = browser.post(f"/plans/{plan.id}/comments", data={"step_id": "add-note", "line": "1", "body": "Why text?\n<b>x</b>"})
    assert answer.status_code == 303
    page = browser.get(f"/plans/{plan.id}/review").text
    assert "Why text?" in page
    assert "<b>x</b>" not in page


def test_a_thread_is_answered_resolved_and_opened_again(site: Site, plan: Plan):
    browser = site.browser("author")
    place = browser.post(f"/plans/{plan.id}/comments", data={"body": "First"}).headers["location"]
    number = place.rpartition("-")[2]
    browser.post(f"/plans/{plan.id}/comments", data={"body": "Second", "parent_id": number})
    browser.post(f"/comments/{number}/resolve", data={"resolved": "1"})
    assert "resolved" in browser.get(f"/plans/{plan.id}/review").text
    browser.post(f"/comments/{number}/resolve", data={"resolved": ""})
    page = browser.get(f"/plans/{plan.id}/review").text
    assert "Second" in page
    assert "is-resolved" not in page


def test_a_viewer_reads_but_does_not_comment(site: Site, plan: Plan):
    viewer = site.browser("viewer")
    assert "/comments" not in viewer.get(f"/plans/{plan.id}/review").text
    assert viewer.post(f"/plans/{plan.id}/comments", data={"body": "x"}).status_code == 403
