from app.store.tables import Target
from tests.web.site import Forms, Site

DSN = "postgresql://app:hunter2secret@db.internal:5432/shop"


def test_a_database_is_added_tested_by_a_worker_and_never_shows_its_password(site: Site):
    browser = site.browser("admin")
    environment = site.world.production.environment_id
    form = Forms(browser.get(f"/targets/new?environment={environment}").text).fields("/targets")
    answer = browser.post("/targets", data={**form, "name": "prod-eu", "dsn": DSN})
    assert answer.status_code == 303
    page = browser.get(answer.headers["location"])
    assert "db.internal:5432/shop as app" in page.text
    assert "Testing the connection" in page.text
    assert "hunter2secret" not in page.text
    assert [wake.task for wake in site.bell.rung] == ["job"]
    with site.world.sessions() as session:
        assert "hunter2secret" not in session.query(Target).filter_by(name="prod-eu").one().sealed_dsn
    assert "hunter2secret" not in browser.get("/audit").text


def test_a_malformed_connection_string_is_refused_without_repeating_it(site: Site):
    body = {
        "environment_id": str(site.world.production.environment_id),
        "name": "x",
        "dsn": "postgresql://app:hunter2secret@[bad",
    }
    answer = site.browser("admin").post("/targets", data=body)
    assert answer.status_code == 422
    assert "hunter2secret" not in answer.text
    assert "aria-invalid" in answer.text


def test_a_viewer_sees_the_database_and_may_change_nothing(site: Site):
    viewer, number = site.browser("viewer"), site.world.production.id
    page = viewer.get(f"/targets/{number}").text
    assert "shop-production" in page
    assert f"/targets/{number}/edit" not in page
    for path in (
        f"/targets/{number}/test",
        f"/targets/{number}/read-schema",
        f"/targets/{number}/retire",
        f"/targets/{number}/backups",
    ):
        assert viewer.post(path).status_code == 403
    assert site.browser("outsider").get(f"/targets/{number}").status_code == 404


def test_what_is_missing_comes_with_the_grant_that_mends_it(site: Site):
    with site.world.sessions.begin() as session:
        row = session.get_one(Target, site.world.production.id)
        row.capabilities = {
            "missing": [{"what": "No statistics", "why": "Hidden", "grant_sql": "GRANT pg_read_all_stats TO app;"}]
        }
    page = site.browser("viewer").get(f"/targets/{site.world.production.id}").text
    assert "No statistics" in page
    assert "pg_read_all_stats" in page


def test_retiring_asks_for_the_name(site: Site):
    browser, number = site.browser("admin"), site.world.staging.id
    assert browser.post(f"/targets/{number}/retire", data={"confirm": "shop"}).status_code == 422
    assert browser.post(f"/targets/{number}/retire", data={"confirm": "shop-staging"}).status_code == 303
    assert "Retired" in browser.get(f"/targets/{number}").text


def test_a_backup_is_asked_for_once_and_shown_while_it_is_taken(site: Site):
    browser, number = site.browser("operator"), site.world.production.id
    first = browser.post(f"/targets/{number}/backups")
    second = browser.post(f"/targets/{number}/backups")
    assert first.headers["location"] == second.headers["location"]
    page = browser.get(first.headers["location"]).text
    assert "Waiting for a worker." in page
    assert 'hx-trigger="every 1s"' in page


def test_a_restore_asks_for_the_new_name_twice(site: Site):
    number = site.world.backed_up()
    browser = site.browser("operator")
    wrong = browser.post(f"/backups/{number}/restore", data={"new_database": "shop_restored", "confirmation": "shop"})
    assert wrong.status_code == 422
    assert (
        browser.post(
            f"/backups/{number}/restore", data={"new_database": "shop_restored", "confirmation": "shop_restored"}
        ).status_code
        == 303
    )
    assert "shop_restored" in browser.get(f"/backups/{number}").text
