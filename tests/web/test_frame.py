import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from app.store.sessions import make_engine, make_sessions
from app.web.main import create_app
from tests.web.site import Bell, Site

PAGES = ["/", "/plans", "/plans/import", "/targets", "/people", "/audit", "/settings", "/search"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_the_frame_answers_a_viewer_with_the_strict_policy(site: Site, path):
    answer = site.browser("viewer").get(path)
    assert answer.status_code == 200
    assert "script-src 'self'; style-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert " style=" not in answer.text
    assert "onclick" not in answer.text
    assert answer.text.count("<h1") == 1


def test_head_says_what_get_would_without_the_body(site: Site):
    run = site.world.started()
    browser = site.browser("viewer")
    for path in (*PAGES, f"/runs/{run.id}/stream", "/plans/999", "/static/none.css", "/healthz", "/api/plans"):
        answer, whole = browser.head(path), None if path.endswith("/stream") else browser.get(path)
        assert answer.content == b"", path
        assert whole is None or answer.status_code == whole.status_code, path
        assert whole is None or answer.headers["content-type"] == whole.headers["content-type"], path
    assert browser.head(f"/runs/{run.id}/stream").headers["content-type"].startswith("text/event-stream")
    assert site.stranger().head("/plans").headers["location"] == "/sign-in?next=/plans"


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_the_sign_in_and_back(site: Site, path):
    answer = site.stranger().get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_a_form_of_another_site_changes_nothing(site: Site):
    browser = site.browser("admin")
    for headers in (
        {"origin": "http://evil.test"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "null"},
    ):
        answer = browser.post("/projects", data={"name": "Stolen"}, headers=headers)
        assert answer.status_code == 403
    assert "Stolen" not in browser.get("/targets").text


def test_a_changing_request_without_any_sign_of_its_origin_is_refused(site: Site):
    browser = site.browser("admin")
    del browser.headers["origin"]
    answer = browser.post("/projects", data={"name": "Stolen"})
    assert answer.status_code == 403
    assert "Origin" in answer.text


def test_the_browser_says_same_origin_and_the_form_is_taken(site: Site):
    browser = site.browser("admin")
    del browser.headers["origin"]
    assert browser.post("/projects", data={"name": "Mine"}, headers={"sec-fetch-site": "same-origin"}).status_code == 303


def test_stylesheet_and_script_come_under_hashed_names_that_may_be_kept_for_ever(site: Site):
    page = site.stranger().get("/sign-in").text
    href = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    answer = site.stranger().get(href)
    assert answer.status_code == 200
    assert answer.headers["cache-control"].endswith("immutable")
    assert "--accent" in answer.text


def test_what_is_not_there_is_said_in_a_page_with_a_way_out(site: Site):
    for answer in (site.browser("viewer").get("/nowhere"), site.browser("viewer").get("/plans/1/approve")):
        assert answer.status_code in {404, 405}
        assert '<nav class="nav" aria-label="Main">' in answer.text
        assert 'href="/"' in answer.text
        assert 'href="/sign-in"' not in answer.text, "whoever is signed in is not asked to sign in"
    assert 'href="/sign-in"' in site.stranger().get("/nowhere").text


def test_a_script_gets_the_error_object_of_the_contract(site: Site):
    answer = site.browser("viewer").get("/plans/999999", headers={"accept": "application/json"})
    assert answer.status_code == 404
    assert answer.json()["contract"] == 1
    assert set(answer.json()["error"]) >= {"message", "file", "line", "column", "sqlstate", "hint"}


def test_a_refusal_asked_for_as_a_part_goes_into_the_place_for_problems(site: Site):
    answer = site.browser("viewer").post("/projects", data={"name": "x"}, headers={"hx-request": "true"})
    assert answer.status_code == 403
    assert answer.headers["hx-retarget"] == "#problems"
    assert "<html" not in answer.text


def test_what_nobody_foresaw_has_a_reference_number_and_no_traceback(site: Site):
    @site.app.get("/broken")
    def broken() -> None:
        raise RuntimeError("the secret inside")

    answer = site.browser("viewer").get("/broken")
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert "the secret inside" not in answer.text
    assert "content-security-policy" in answer.headers


def test_an_own_database_that_is_away_is_said_so(site: Site):
    away = make_sessions(make_engine("postgresql://nobody@127.0.0.1:1/nothing"))
    client = TestClient(
        create_app(site.world.settings, away, Bell()), base_url="http://testserver", raise_server_exceptions=False
    )
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    answer = client.get("/")
    assert answer.status_code == 503
    assert "own database does not answer" in answer.text


def test_readyz_compares_the_schema_with_the_code(site: Site):
    assert site.stranger().get("/readyz").json()["ok"] is True
    with site.world.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    answer = site.stranger().get("/readyz")
    assert answer.status_code == 503
    assert "migrate" in answer.json()["database"]


def test_an_upload_over_the_limit_is_refused_by_its_declared_size(site: Site):
    small = site.world.settings.model_copy(update={"upload_bytes": 1000})
    site.app = create_app(small, site.world.sessions, Bell(), clock=site.world.clock)
    answer = site.browser("author").post("/plans/import", files={"files": ("big.sql", b"-" * 400_000)})
    assert answer.status_code == 413
    assert "larger than" in answer.text


def test_an_upload_that_hides_its_size_is_stopped_while_it_arrives(site: Site):
    small = site.world.settings.model_copy(update={"upload_bytes": 1000})
    site.app = create_app(small, site.world.sessions, Bell(), clock=site.world.clock)
    pieces = (b"-" * 100_000 for _ in range(20))
    kind = {"content-type": "multipart/form-data; boundary=x"}
    answer = site.browser("author").post("/plans/import", content=pieces, headers=kind)
    assert answer.status_code == 413


def test_the_theme_that_was_chosen_stays(site: Site):
    browser = site.browser("viewer")
    answer = browser.post("/settings/theme", data={"theme": "dark", "next": "/plans"})
    assert answer.headers["location"] == "/plans"
    assert 'data-theme="dark"' in browser.get("/plans").text


def test_a_link_to_another_site_is_not_followed_after_a_form(site: Site):
    answer = site.browser("viewer").post("/settings/theme", data={"theme": "dark", "next": "//evil.test"})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("path", ["/plans/{n}", "/runs/{n}/monitoring", "/plans?page={n}"])
def test_a_number_that_no_row_can_have_is_not_there_and_breaks_nothing(site: Site, path: str):
    answer = site.browser("admin").get(path.format(n="9" * 30))
    assert answer.status_code == 404
    assert "broke on our side" not in answer.text


def test_a_nul_character_in_an_address_is_refused_as_bad_text(site: Site):
    answer = site.browser("viewer").get("/plans", params={"q": "a\x00b"})
    assert answer.status_code == 422
    assert "NUL" in answer.text


def test_a_target_number_out_of_bounds_and_json_nested_without_end_are_refused(site: Site):
    browser = site.browser("author")
    assert browser.post("/plans/import", data={"text": "SELECT 1", "target_id": "9" * 30}).status_code < 500
    answer = browser.post("/plans/import", content=b"[" * 100_000, headers={"content-type": "application/json"})
    assert answer.status_code == 400


def test_a_script_with_a_token_that_is_none_is_told_about_the_token(site: Site):
    answer = site.stranger().get("/api/v1/plans", headers={"authorization": "Bearer hg_forged"})
    assert answer.status_code == 401
    assert "API token is unknown" in answer.json()["error"]["message"]
