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
    administrator = site.world.people["admin"]
    page = site.browser("operator").get("/people").text
    assert administrator.email in page, "whoever is refused finds somebody to turn to"


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
