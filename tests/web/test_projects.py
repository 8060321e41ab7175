from tests.web.site import Forms, Site


def test_a_project_comes_with_two_environments_and_their_rules_can_be_changed(site: Site):
    browser = site.browser("admin")
    answer = browser.post("/projects", data={"name": "Billing", "with_environments": "1"})
    assert "Billing" in (page := browser.get(answer.headers["location"]).text)
    assert "Next: add the database of each" in page
    path = f"/environments/{site.world.production.environment_id}"
    form = Forms(browser.get(path).text).fields(path)
    body = {
        **form,
        "approvals_high": "3",
        "checklist": "sql-reviewed\nAsk the data team",
        "windows": "saturday 22:00 02:00",
        "approver_role": "approver",
        "profile": "gentle",
        "color": "red",
        "is_production": "1",
    }
    answer = browser.post(path, data=body)
    assert answer.status_code == 303, answer.text
    page = browser.get(path).text
    assert 'value="3"' in page
    assert "Ask the data team" in page
    assert browser.post(path, data={**body, "severities": "index-drop low\nopaque = high"}).status_code == 303
    assert "index-drop low\nopaque high" in browser.get(path).text
    for lines in ("index-drop", "index-drop dangerous", "no-such-rule low"):
        assert browser.post(path, data={**body, "severities": lines}).status_code == 422
    wrong = browser.post(path, data={**body, "windows": "someday 22:00 02:00", "lock_timeout_ms": "soon"})
    assert wrong.status_code == 422
    assert "weekday" in wrong.text


def test_a_project_needs_a_name_and_what_was_chosen_stays(site: Site):
    browser = site.browser("admin")
    assert '<a href="/targets" aria-current="page">' in browser.get("/projects/new").text
    answer = browser.post("/projects", data={"name": " "})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert 'name="with_environments" value="1">' in answer.text


def test_an_environment_is_added_last_and_leads_to_its_rules(site: Site):
    path = f"/projects/{site.world.project.id}/environments"
    assert site.browser("operator").post(path, data={"name": "canary", "color": "blue"}).status_code == 403
    browser = site.browser("project_admin")
    assert browser.post(path, data={"name": "", "color": "blue"}).status_code == 422
    answer = browser.post(path, data={"name": "canary", "color": "blue"})
    assert "Rules of canary" in browser.get(answer.headers["location"]).text
