"""The plan of the demo, step by step on a small shop: it goes forward, refuses what it should, and comes back without a trace."""

from dataclasses import replace

import psycopg
import pytest

from app.catalog.fingerprint import difference
from app.catalog.schema import read_schema
from app.embedded.demo import PLAN_FILE, SignIn, welcome
from app.embedded.folder import DataFolder
from app.embedded.shop import STAGING, Size, build_shop
from app.embedded.traffic import SIGN_UP_WITH_ROLE
from app.plan.document import read_plan, write_plan
from app.sql.split import split

SMALL = replace(STAGING, name="shop_plan", size=Size(users=300, products=20, orders=1000))


@pytest.fixture(scope="module")
def shop(postgres_server, tmp_path_factory):
    (built,) = build_shop(postgres_server, DataFolder(tmp_path_factory.mktemp("shop")), wanted=[SMALL])
    yield built
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        connection.execute("DROP DATABASE shop_plan WITH (FORCE)")


@pytest.fixture
def plan():
    return read_plan(PLAN_FILE.read_bytes(), file=PLAN_FILE.name)


def _run(connection, script):
    for statement in split(script):
        connection.execute(statement.text)


def _forward(connection, step):
    if step.kind == "sql":
        _run(connection, step.spec["sql"])
    elif step.kind == "backfill":
        connection.execute(f"UPDATE {step.spec['table']} SET {step.spec['set']} WHERE {step.spec['where']}")
    elif step.kind == "check" and "query" in step.spec:
        assert connection.execute(step.spec["query"]).fetchone() == (step.spec["expect"],), step.id
    elif step.kind == "check":
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(step.spec["statement"])
        assert refused.value.sqlstate == step.spec["refused_with"], step.id


def test_it_goes_forward_and_comes_back_without_a_trace(plan, shop):
    with psycopg.connect(shop.owner_dsn, autocommit=True) as connection:
        before = read_schema(connection)
        for step in plan.steps():
            _forward(connection, step)
        assert connection.execute("SELECT count(*) FROM users WHERE role = 'member'").fetchone() == (300,)
        for step in reversed(list(plan.steps())):
            if step.rollback is not None and step.rollback.sql is not None:
                _run(connection, step.rollback.sql)
        assert difference(before, read_schema(connection)) == []


def test_the_application_can_write_the_new_column_as_soon_as_it_is_there(plan, shop):
    with psycopg.connect(shop.owner_dsn, autocommit=True) as owner, psycopg.connect(shop.application_dsn) as application:
        for step in plan.phases[0].steps:
            _forward(owner, step)
        application.execute(SIGN_UP_WITH_ROLE, {"email": "first@example.com"})
        application.execute(
            "INSERT INTO user_roles (user_id, role) SELECT id, 'support' FROM users WHERE email = 'first@example.com'"
        )
        application.rollback()
        for step in reversed(plan.phases[0].steps):
            if step.rollback is not None and step.rollback.sql is not None:
                _run(owner, step.rollback.sql)


def test_every_step_that_changes_something_says_how_it_is_undone(plan):
    assert {step.id for step in plan.steps() if step.rollback is None} == {
        "application-writes-both",
        "every-account-has-a-role",
        "role-is-required",
    }


def test_it_survives_a_round_trip_through_the_plan_format(plan):
    assert read_plan(write_plan(plan)).digest() == plan.digest()


def test_the_welcome_names_the_address_and_every_sign_in():
    people = [SignIn(name="Ada", role="author", email="ada@shop.example", password="pa55")]
    text = welcome("http://localhost:8000", people)
    assert "http://localhost:8000" in text
    assert "author    ada@shop.example  pa55" in text
