from app.store import passwords, people
from tests.web.site import Site


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
    with site.world.sessions.begin() as session:
        people.get(session, site.world.people["author"].id).password_hash = passwords.hash_password("the present password")
    here, elsewhere = site.browser("author"), site.browser("author")
    assert here.get("/settings").text.count("signed in <time") == 2
    wrong = here.post("/settings/password", data={"present": "x", "password": "a much better password"})
    assert wrong.status_code == 422
    right = here.post("/settings/password", data={"present": "the present password", "password": "a much better password"})
    assert right.status_code == 303
    assert here.get("/plans").status_code == 200
    assert elsewhere.get("/plans").status_code == 303
    assert here.get("/settings").text.count("signed in <time") == 1
