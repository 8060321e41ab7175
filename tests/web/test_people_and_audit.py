import csv
import io

from sqlalchemy import text

from tests.web.site import Site


def _invite(site: Site, **fields: str):
    return {"project_id": str(site.world.project.id), "email": "new@shop.test", "name": "New", "role": "author", **fields}


def test_a_new_person_gets_a_password_that_is_shown_once(site: Site):
    admin = site.browser("admin")
    answer = admin.post("/people/invite", data=_invite(site))
    password = answer.text.partition('id="new-password">')[2].partition("<")[0]
    assert len(password) >= 12
    assert password not in admin.get("/people").text
    signed = site.stranger().post("/sign-in", data={"email": "new@shop.test", "password": password})
    assert signed.status_code == 303


def test_who_may_not_is_told_which_right_is_missing_and_who_gives_it(site: Site):
    answer = site.browser("operator").post("/people/invite", data=_invite(site))
    assert answer.status_code == 403
    assert "takes the role admin" in answer.text
    assert "under People" in answer.text


def test_a_wrong_address_is_said_beside_its_field(site: Site):
    answer = site.browser("admin").post("/people/invite", data=_invite(site, email="nonsense"))
    assert answer.status_code == 422
    assert "not an e-mail address" in answer.text
    assert 'value="nonsense"' in answer.text


def test_a_role_counts_from_the_next_click(site: Site):
    plan = site.world.imported()
    viewer = site.browser("viewer")
    assert viewer.get(f"/plans/{plan.id}/edit").status_code == 403
    body = {"project_id": str(site.world.project.id), "person_id": str(site.world.people["viewer"].id), "role": "author"}
    assert site.browser("project_admin").post("/people/role", data=body).status_code == 303
    assert viewer.get(f"/plans/{plan.id}/edit").status_code == 200


def test_the_audit_shows_the_lines_of_ones_own_projects_only(site: Site):
    site.world.imported()
    assert "import plan" in site.browser("viewer").get("/audit").text
    assert "import plan" not in site.browser("outsider").get("/audit").text


def test_the_audit_is_filtered_and_paged_by_its_id(site: Site):
    for _ in range(60):
        site.browser("operator").post(f"/targets/{site.world.production.id}/test")
    browser = site.browser("admin")
    first = browser.get("/audit?act=test_target").text
    assert first.count('id="line-') == 50
    older = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert browser.get(older).text.count('id="line-') == 10


def test_the_chain_is_checked_on_request_and_a_change_past_headgate_is_found(site: Site):
    admin = site.browser("admin")
    assert "The chain holds" in admin.get("/audit?verify=1").text
    with site.world.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_log DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE audit_log SET actor = 'nobody' WHERE id = (SELECT min(id) + 1 FROM audit_log)"))
    assert "The chain is broken" in admin.get("/audit?verify=1").text


def test_the_export_holds_the_hashes_and_no_formula(site: Site):
    site.browser("admin").post("/projects", data={"name": "=cmd()"})
    admin = site.browser("admin")
    rows = list(csv.reader(io.StringIO(admin.get("/audit/export.csv").text)))
    assert rows[0][-1] == "hash"
    assert not any(cell.startswith("=") for row in rows for cell in row)
    lines = admin.get("/audit/export.json").json()["lines"]
    assert lines[1]["previous_hash"] == lines[0]["hash"]


def test_a_token_signs_a_script_in_until_it_is_revoked(site: Site):
    author = site.browser("author")
    page = author.post("/settings/tokens", data={"name": "ci"}).text
    token = page.partition('id="new-token" class="break">')[2].partition("<")[0]
    script = site.stranger()
    del script.headers["origin"]
    script.headers["authorization"] = f"Bearer {token}"
    assert script.get("/api/v1/me").json()["name"].startswith("Author")
    number = author.get("/settings").text.partition("/settings/tokens/")[2].partition("/")[0]
    author.post(f"/settings/tokens/{number}/revoke")
    assert script.get("/api/v1/me").status_code == 401


def test_ones_password_is_changed_knowing_the_present_one_and_other_sign_ins_end(site: Site):
    from app.store import passwords, people

    with site.world.sessions.begin() as session:
        people.get(session, site.world.people["author"].id).password_hash = passwords.hash_password("the present password")
    here, elsewhere = site.browser("author"), site.browser("author")
    wrong = here.post("/settings/password", data={"present": "x", "password": "a much better password"})
    assert wrong.status_code == 422
    right = here.post("/settings/password", data={"present": "the present password", "password": "a much better password"})
    assert right.status_code == 303
    assert here.get("/plans").status_code == 200
    assert elsewhere.get("/plans").status_code == 303


def test_search_finds_plans_runs_and_targets_in_sight_only(site: Site):
    plan = site.world.imported()
    page = site.browser("viewer").get("/search?q=note").text
    assert f"/plans/{plan.id}" in page
    assert "shop-production" in site.browser("viewer").get("/search?q=production").text
    assert f"/plans/{plan.id}" not in site.browser("outsider").get("/search?q=note").text
    assert site.browser("viewer").get("/search?q=%00%25'").status_code == 200
