"""What the connection test finds out, and that every remedy really mends what it is for."""

import psycopg
import pytest

from app.catalog.capabilities import read_capabilities
from tests.doubles.databases import Database


@pytest.fixture
def restricted(each_database: Database) -> Database:
    each_database.execute("""
        DROP ROLE IF EXISTS "app Role"; DROP ROLE IF EXISTS shop_owner;
        CREATE ROLE "app Role" LOGIN PASSWORD 'x'; CREATE ROLE shop_owner;
        CREATE TABLE users (id int); ALTER TABLE users OWNER TO shop_owner;
        CREATE TABLE orders (id int);
        REVOKE CREATE ON SCHEMA public FROM PUBLIC""")
    yield each_database
    each_database.execute('DROP OWNED BY "app Role", shop_owner; REVOKE ALL ON SCHEMA public FROM "app Role"')
    each_database.execute('DROP ROLE "app Role"; DROP ROLE shop_owner')


def as_app(database: Database):
    with psycopg.connect(database.dsn_for("app Role", "x"), autocommit=True) as connection:
        return read_capabilities(connection)


def test_a_superuser_misses_nothing(each_database):
    with each_database.connect() as connection:
        found = read_capabilities(connection)
    assert found.missing == ()
    assert found.is_sufficient
    assert found.has_statements
    assert found.rights.is_superuser
    assert found.version_num // 10000 in {17, 18}
    assert found.database_bytes > 1_000_000
    assert "pg_stat_statements" in found.extensions


def test_every_missing_right_comes_with_the_statement_that_grants_it(restricted):
    before = as_app(restricted)
    assert [missing.what for missing in before.missing] == [
        f"may not create a schema in {restricted.name}",
        "may not create tables in schema public",
        "may not create databases",
        "does not own 1 table of postgres",
        "does not own 1 table of shop_owner",
        "may not read 2 tables",
        "may not see what other sessions do",
        "may not end sessions of other roles",
    ]
    assert not before.is_sufficient
    assert (before.rights.tables, before.rights.owned_tables, before.rights.readable_tables) == (2, 0, 0)
    for missing in before.missing:
        restricted.execute(missing.grant_sql)
    after = as_app(restricted)
    restricted.execute('REVOKE postgres FROM "app Role"; REVOKE shop_owner FROM "app Role"')
    assert after.missing == ()
    assert after.rights.owned_tables == 2


def test_a_schema_of_the_ledger_that_another_role_made_is_a_finding(restricted):
    restricted.execute("GRANT CREATE ON DATABASE " + restricted.name + ' TO "app Role"; CREATE SCHEMA headgate')
    before = as_app(restricted)
    lacking = next(missing for missing in before.missing if "schema headgate" in missing.what)
    restricted.execute(lacking.grant_sql)
    assert lacking.what not in [missing.what for missing in as_app(restricted).missing]


def test_a_missing_extension_comes_with_the_statement_that_makes_it(each_database):
    each_database.execute("DROP EXTENSION pg_stat_statements")
    with each_database.connect() as connection:
        found = read_capabilities(connection)
        assert (found.has_statements, found.statements_preloaded) == (False, True)
        assert [missing.grant_sql for missing in found.missing] == ["CREATE EXTENSION pg_stat_statements;"]
        assert found.is_sufficient
        connection.execute(found.missing[0].grant_sql)
        assert read_capabilities(connection).has_statements


def test_capabilities_are_kept_as_json(restricted):
    content = as_app(restricted).as_json()
    assert content["missing"][0]["grant_sql"] == f'GRANT CREATE ON DATABASE "{restricted.name}" TO "app Role";'
    assert content["missing"][0]["is_required"]
    assert content["rights"]["role"] == "app Role"
    assert not content["is_sufficient"]
