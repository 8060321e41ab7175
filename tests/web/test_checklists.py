from dataclasses import replace

from app.plan.model import Step
from app.store import runs
from tests.doubles.world import a_plan, a_step
from tests.web.site import Forms, Site


def test_an_item_is_ticked_by_name_with_a_note_and_taken_back(site: Site):
    plan = site.world.imported()
    browser = site.browser("operator")
    answer = browser.post(f"/plans/{plan.id}/tick", data={"item_id": "code-deployed", "note": "release 2.31"})
    assert answer.status_code == 303
    page = browser.get(f"/plans/{plan.id}/checklist").text
    assert "release 2.31" in page
    assert "Operator" in page
    browser.post(f"/plans/{plan.id}/untick", data={"item_id": "code-deployed"})
    for note, is_link in (("https://ci.test/412", True), ("javascript:alert(1)", False), ("see https://ci.test", False)):
        browser.post(f"/plans/{plan.id}/tick", data={"item_id": "cache-cleared", "note": note})
        page = browser.get(f"/plans/{plan.id}/checklist").text
        assert (f'rel="noreferrer" href="{note}"' in page) is is_link, note
        browser.post(f"/plans/{plan.id}/untick", data={"item_id": "cache-cleared"})
    assert "release 2.31" not in browser.get(f"/plans/{plan.id}/checklist").text


def test_an_item_that_headgate_proves_can_not_be_ticked_by_hand(site: Site):
    plan = site.world.imported()
    answer = site.browser("operator").post(f"/plans/{plan.id}/tick", data={"item_id": "backup-taken"})
    assert answer.status_code == 409
    assert "ticks itself" in answer.text


def test_a_gate_is_overridden_by_an_admin_with_a_reason_only(site: Site):
    plan = site.world.imported()
    gate = {"gate": "backup", "digest": site.world.digest(plan)}
    assert site.browser("operator").post(f"/plans/{plan.id}/override", data={**gate, "reason": "x"}).status_code == 403
    admin = site.browser("admin")
    assert admin.post(f"/plans/{plan.id}/override", data={**gate, "reason": ""}).status_code == 422
    assert admin.post(f"/plans/{plan.id}/override", data={**gate, "reason": "Restored from the replica"}).status_code == 303
    assert "Overridden" in admin.get(f"/plans/{plan.id}/checklist").text


def test_start_shows_what_is_missing_instead_of_a_dead_button(site: Site):
    plan = site.world.imported()
    page = site.browser("operator").get(f"/plans/{plan.id}/start").text
    assert "It can't start yet" in page
    assert f'action="/plans/{plan.id}/start"' not in page
    assert "disabled" not in page


def test_a_plan_that_is_ready_starts_once_however_often_the_form_is_sent(site: Site):
    plan = site.world.ready()
    browser = site.browser("operator")
    fields = Forms(browser.get(f"/plans/{plan.id}/start").text).fields(f"/plans/{plan.id}/start")
    wrong = browser.post(f"/plans/{plan.id}/start", data={**fields, "confirm": "shop"})
    assert wrong.status_code == 422
    assert "Type shop-production" in wrong.text
    first = browser.post(f"/plans/{plan.id}/start", data={**fields, "confirm": "shop-production"})
    second = browser.post(f"/plans/{plan.id}/start", data={**fields, "confirm": "shop-production"})
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    with site.world.sessions() as session:
        assert len(runs.of_plan(session, plan.id)) == 1
    assert "advance" in [wake.task for wake in site.bell.rung]


def test_what_each_step_may_ask_of_others_is_shown_before_the_run(site: Site):
    own = Step(id="own", kind="sql", title="own", spec={"sql": "ALTER TABLE users ADD a int", "lock_timeout_ms": 750})
    build = a_step("build", sql="CREATE INDEX CONCURRENTLY i ON users (a); VACUUM users")
    plan = site.world.ready(a_plan(steps=(replace(own, rollback=build.rollback), build)))
    site.world.policy(site.world.production, queue_sessions=4, patience_ms=60_000)
    browser = site.browser("operator")
    for path in ("start", "steps"):
        page = browser.get(f"/plans/{plan.id}/{path}").text
        assert "are waited for 100 ms at first and 750 ms at most, up to 30 times" in page
        assert "The step itself says lock timeout ms" in page
        assert "or when they are 4" in page
        assert "Statement 1: No lock_timeout, which would leave an INVALID index" in page
        assert "up to 1 min" in page
    limits = browser.get(f"/api/v1/plans/{plan.id}").json()["limits"]
    assert limits["own"]["limits"]["lock_timeout_ms"] == 750
    assert limits["own"]["from_step"] == ["lock_timeout_ms"]
    assert [(found["class"], found["statements"]) for found in limits["build"]["classes"]] == [
        ("build", [1]),
        ("repeatable", [2]),
    ]


def test_a_second_person_who_presses_start_is_told_who_was_faster(site: Site):
    plan = site.world.ready()
    forms = []
    for who in ("operator", "admin"):
        browser = site.browser(who)
        forms.append((browser, Forms(browser.get(f"/plans/{plan.id}/start").text).fields(f"/plans/{plan.id}/start")))
    answers = [
        browser.post(f"/plans/{plan.id}/start", data={**fields, "confirm": "shop-production"}) for browser, fields in forms
    ]
    assert [answer.status_code for answer in answers] == [303, 409]
    assert "Operator started run" in answers[1].text


def test_an_author_can_not_start(site: Site):
    plan = site.world.ready()
    author = site.browser("author")
    assert "takes the role operator" in author.get(f"/plans/{plan.id}/start").text
    body = {"digest": site.world.digest(plan), "request_token": "t", "confirm": "shop-production"}
    assert author.post(f"/plans/{plan.id}/start", data=body).status_code == 403


def test_a_start_in_the_future_is_taken_as_utc_and_nonsense_is_refused(site: Site):
    plan = site.world.ready()
    browser = site.browser("operator")
    fields = Forms(browser.get(f"/plans/{plan.id}/start").text).fields(f"/plans/{plan.id}/start")
    body = {**fields, "confirm": "shop-production"}
    assert browser.post(f"/plans/{plan.id}/start", data={**body, "scheduled_for": "tomorrow"}).status_code == 422
    answer = browser.post(f"/plans/{plan.id}/start", data={**body, "scheduled_for": "2026-03-05T22:00"})
    assert answer.status_code == 303
    with site.world.sessions() as session:
        assert runs.of_plan(session, plan.id)[0].scheduled_for.isoformat() == "2026-03-05T22:00:00+00:00"
