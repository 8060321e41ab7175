import pytest

from app.store import passwords, people
from app.web.rate_limit import SignInLimit
from tests.doubles.databases import Database
from tests.doubles.world import World
from tests.web.site import Forms, Site

PASSWORD = "a sentence nobody guesses"


@pytest.fixture
def with_password(site: Site) -> Site:
    with site.world.sessions.begin() as session:
        people.get(session, site.world.people["author"].id).password_hash = passwords.hash_password(PASSWORD)
    return site


def test_the_right_password_signs_in_and_leads_back_to_the_page(with_password: Site):
    client = with_password.stranger()
    fields = Forms(client.get("/sign-in?next=/plans").text).fields("/sign-in")
    answer = client.post("/sign-in", data={**fields, "email": "AUTHOR@shop.test", "password": PASSWORD})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/plans"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.get("/plans").status_code == 200


def test_over_https_the_cookie_is_bound_to_the_host(with_password: Site):
    with_password.app.state.settings = with_password.world.settings.model_copy(update={"public_url": "https://headgate.test"})
    answer = with_password.stranger().post("/sign-in", data={"email": "author@shop.test", "password": PASSWORD})
    assert answer.headers["set-cookie"].startswith("__Host-headgate=")
    assert "Secure" in answer.headers["set-cookie"]


def test_a_wrong_password_and_an_unknown_address_are_refused_alike(with_password: Site):
    client = with_password.stranger()
    wrong = client.post("/sign-in", data={"email": "author@shop.test", "password": "wrong wrong wrong"})
    unknown = client.post("/sign-in", data={"email": "nobody@shop.test", "password": "wrong wrong wrong"})
    assert wrong.status_code == unknown.status_code == 401
    assert "set-cookie" not in wrong.headers
    assert "The address or the password is wrong." in wrong.text
    assert "The address or the password is wrong." in unknown.text
    assert 'value="author@shop.test"' in wrong.text


def test_the_eleventh_attempt_in_a_minute_is_refused_even_with_the_right_password(with_password: Site):
    client = with_password.stranger()
    for _ in range(10):
        client.post("/sign-in", data={"email": "author@shop.test", "password": "wrong wrong wrong"})
    answer = client.post("/sign-in", data={"email": "author@shop.test", "password": PASSWORD})
    assert answer.status_code == 429
    assert "Wait a minute" in answer.text


def test_attempts_are_counted_on_the_broker_for_every_process(with_password: Site, broker: str):
    settings = with_password.world.settings.model_copy(
        update={"redis_url": type(with_password.world.settings.redis_url)(broker), "sign_in_attempts_per_minute": 2}
    )
    first, second = SignInLimit(settings), SignInLimit(settings)
    first.count(email="a@shop.test", address="10.0.0.1")
    second.count(email="a@shop.test", address="10.0.0.2")
    with pytest.raises(Exception, match="Too many"):
        first.count(email="a@shop.test", address="10.0.0.3")


def test_signing_out_ends_the_sign_in_on_the_server_too(site: Site):
    browser = site.browser("viewer")
    token = browser.cookies["headgate"]
    assert browser.post("/sign-out").headers["location"].startswith("/sign-in")
    thief = site.stranger()
    thief.cookies.set("headgate", token)
    assert thief.get("/plans").status_code == 303


def test_an_account_that_is_closed_is_out_at_once(site: Site):
    browser = site.browser("viewer")
    assert browser.get("/plans").status_code == 200
    number = site.world.people["viewer"].id
    site.browser("admin").post(f"/people/{number}/active", data={"active": ""})
    assert browser.get("/plans").status_code == 303


def test_whoever_comes_first_makes_the_administrator_and_nobody_after_that(metadata: Database, clock):
    from app.settings import Settings
    from app.store.sessions import make_engine, make_sessions
    from tests.doubles.world import KEY

    settings = Settings(database_url=metadata.dsn, secret_keys=KEY)
    site = Site(World(sessions=make_sessions(make_engine(metadata.dsn)), engine=None, settings=settings, clock=clock))
    client = site.stranger()
    assert "Make the first account" in client.get("/sign-in").text
    weak = client.post("/sign-in/first", data={"email": "me@shop.test", "name": "Me", "password": "short"})
    assert weak.status_code == 422
    assert "at least 12 characters" in weak.text
    made = client.post("/sign-in/first", data={"email": "me@shop.test", "name": "Me", "password": PASSWORD})
    assert made.status_code == 303
    assert "There is no plan yet" in client.get("/").text
    second = site.stranger().post("/sign-in/first", data={"email": "you@shop.test", "name": "You", "password": PASSWORD})
    assert second.status_code == 409
