"""Snapshots of real servers: a workload before and after a migration, resets, crashes, locks."""

import psycopg
import pytest

from app.monitoring.compare import compare
from app.monitoring.figures import Snapshot
from app.monitoring.integrity import read_integrity
from app.monitoring.scope import fingerprints_of
from app.monitoring.snapshot import take_snapshot
from app.monitoring.verdict import verdict
from app.plan.model import Phase, Plan, Step
from tests.doubles.databases import Database, fresh_database, running_server

SHOP = """
CREATE TABLE users (id int PRIMARY KEY, name text, city int);
INSERT INTO users SELECT g, 'user ' || g, g % 5000 FROM generate_series(1, 60000) g;
CREATE INDEX users_city ON users (city);
CREATE TABLE orders (id int PRIMARY KEY, user_id int, total int);
INSERT INTO orders SELECT g, g % 1000, g FROM generate_series(1, 2000) g;
CREATE VIEW people AS SELECT id, name FROM users;
"""
CONTROL = ("total", "user_id", "id + total", "id", "total + user_id", "user_id - id")


@pytest.fixture
def shop(each_database: Database) -> Database:
    each_database.execute(SHOP)
    each_database.execute(["VACUUM ANALYZE users", " VACUUM ANALYZE orders"][0])
    return each_database


def work(database: Database, times: int = 60) -> None:
    """The application: reads of users by key and by city, and of orders, which the plan does not touch."""
    with database.connect() as connection:
        for number in range(times):
            connection.execute("SELECT * FROM users WHERE id = %s", [number])
            connection.execute("SELECT count(*) FROM users WHERE city = %s", [number])
            for column in CONTROL:
                connection.execute(f"SELECT {column} FROM orders WHERE id = %s", [number])
        connection.execute("SELECT pg_stat_force_next_flush()")


def look(database: Database, *relations: str) -> Snapshot:
    with database.connect() as connection:
        return take_snapshot(connection, relations or ("public.users",))


def query(snapshot, start):
    return next(found for found in snapshot.statements if found.query.startswith(start))


def test_a_snapshot_holds_the_statements_on_the_table_a_control_group_and_the_counters(shop):
    work(shop, 25)
    with shop.connect() as connection:
        connection.execute("SELECT name FROM people WHERE id = 5")
    found = look(shop)
    assert query(found, "SELECT * FROM users").calls == 25
    assert query(found, "SELECT name FROM people").touches
    assert {each.touches for each in found.statements if "FROM orders" in each.query} == {False}
    assert sum("FROM orders" in each.query for each in found.statements) == len(CONTROL)
    assert not any("pg_catalog" in each.query or "CREATE" in each.query for each in found.statements)
    users = found.tables["public.users"]
    assert (users.estimated_rows, users.rows_inserted) == (60000, 60000)
    assert users.table_bytes == shop.value("SELECT pg_table_size('users')")
    assert found.indexes["public.users_city"].scans == 25
    assert found.indexes["public.users_pkey"].serves_constraint
    assert found.views == ("public.people",)
    assert found.database["xact_commit"] > 0
    assert found.epoch.statements_reset is not None
    assert Snapshot.from_json(found.as_json()) == found


def test_dropping_a_needed_index_is_found_and_an_added_column_is_not_blamed(shop):
    work(shop)
    before = look(shop)
    shop.execute("ALTER TABLE users ADD COLUMN role text; DROP INDEX users_city")
    since = look(shop)
    work(shop)
    found = compare(before, look(shop), since=since)
    judged = verdict(found)
    states = {each.query[:30]: each.state for each in judged.statements if each.query.startswith("SELECT")}
    assert states["SELECT count(*) FROM users WHE"] == "worse"
    # ADD COLUMN gave SELECT * another queryid: the fingerprint knows it again
    assert states["SELECT * FROM users WHERE id ="] in {"same", "better", "slower"}
    assert judged.state == "worse"
    assert found.control_size == len(CONTROL)
    by_city = next(each for each in found.statements if "city" in each.query)
    assert by_city.blocks_ratio > 20
    assert found.indexes["public.users_city"].presence == "gone"
    assert found.tables["public.users"].sequential_scans >= 60


def test_a_new_index_is_counted_from_when_it_was_made(shop):
    before = look(shop)
    shop.execute("CREATE INDEX users_name ON users (name)")
    with shop.connect() as connection:
        for number in range(7):
            connection.execute("SELECT id FROM users WHERE name = %s", [f"user {number}"])
        connection.execute("SELECT pg_stat_force_next_flush()")
    found = compare(before, look(shop)).indexes["public.users_name"]
    assert (found.presence, found.scans, found.is_valid) == ("new", 7, True)


def test_a_reset_by_another_monitor_is_noticed(shop):
    work(shop, 10)
    before = look(shop)
    shop.execute("SELECT pg_stat_statements_reset()")
    work(shop, 10)
    found = compare(before, look(shop))
    assert "pg_stat_statements were reset" in found.notes[0]
    assert next(each for each in found.statements if "city" in each.query).calls_after == 10


def test_the_size_of_a_table_that_is_being_altered_is_unknown_and_not_waited_for(shop):
    with shop.connect(autocommit=False) as other, shop.connect() as connection:
        other.execute("ALTER TABLE users ADD COLUMN held int")
        connection.execute("SET lock_timeout = '100ms'")
        found = take_snapshot(connection, ["public.users"])
    assert found.tables["public.users"].table_bytes is None
    assert found.indexes["public.users_pkey"].bytes is None


def test_without_the_extension_there_is_a_snapshot_without_statements(shop):
    shop.execute("DROP EXTENSION pg_stat_statements")
    found = look(shop)
    assert (found.has_statements, found.statements) == (False, ())
    assert found.tables["public.users"].rows_inserted == 60000
    assert verdict(compare(found, look(shop))).state == "unknown"


def test_what_a_role_may_not_see_is_counted_as_hidden(shop):
    work(shop, 3)
    shop.execute("DROP ROLE IF EXISTS short_sighted; CREATE ROLE short_sighted LOGIN PASSWORD 'x'")
    with psycopg.connect(shop.dsn_for("short_sighted", "x"), autocommit=True) as connection:
        found = take_snapshot(connection, ["public.users"])
    assert found.hidden_statements > 0
    assert found.database["hidden"] > 0
    assert found.database["connections"] is None


def test_a_crash_that_zeroes_the_counters_is_noticed():
    with running_server() as server, fresh_database(server) as database:
        database.execute(SHOP)
        work(database, 5)
        before = look(database)
        server.stop(immediate=True)
        server.start()
        found = compare(before, look(database))
    assert "The counters of tables and indexes began again at zero" in " ".join(found.notes)
    assert found.indexes["public.users_city"].scans == 0


def a_plan(*steps: tuple[str, str, dict]) -> Plan:
    made = tuple(Step(id=identity, kind=kind, title=identity, spec=spec) for identity, kind, spec in steps)
    return Plan(name="x", phases=(Phase(name="expand", steps=made),))


def test_what_the_plan_itself_asked_is_no_new_statement_of_the_application(shop):
    plan = a_plan(("count", "check", {"query": "SELECT count(*) FROM users WHERE role IS NULL", "expect": 0}))
    shop.execute("ALTER TABLE users ADD COLUMN role text")
    first = look(shop)
    shop.execute("SELECT count(*) FROM users WHERE role IS NULL")
    second = look(shop)
    assert any(each.presence == "new" for each in compare(first, second).statements)
    assert not any(each.presence == "new" for each in compare(first, second, ignore=fingerprints_of(plan)).statements)


def test_rows_that_point_nowhere_are_counted_for_every_kind_of_foreign_key(each_database):
    each_database.execute("""
        CREATE TABLE parents (a int, b int, PRIMARY KEY (a, b)); INSERT INTO parents VALUES (1, 1);
        CREATE TABLE plain (a int, b int); INSERT INTO plain VALUES (1, 1), (2, 2), (NULL, 5);
        ALTER TABLE plain ADD CONSTRAINT plain_fk FOREIGN KEY (a, b) REFERENCES parents NOT VALID;
        CREATE TABLE full_match (a int, b int); INSERT INTO full_match VALUES (2, 2), (NULL, 5), (NULL, NULL);
        ALTER TABLE full_match ADD CONSTRAINT full_fk FOREIGN KEY (a, b) REFERENCES parents MATCH FULL NOT VALID;
        CREATE TABLE sound (a int, b int, CONSTRAINT sound_fk FOREIGN KEY (a, b) REFERENCES parents); INSERT INTO sound VALUES (1, 1)""")
    with each_database.connect() as connection:
        found = read_integrity(connection, ["public.parents"])
        narrow = read_integrity(connection, ["public.plain"])
    assert {check.name: check.orphans for check in found.foreign_keys} == {"plain_fk": 1, "full_fk": 2, "sound_fk": 0}
    assert found.orphans == 3
    assert narrow.unvalidated == ("public.plain.plain_fk",)
    assert [check.evidence for check in narrow.foreign_keys] == ["1 rows point nowhere"]


def test_a_foreign_key_that_may_not_be_read_is_not_called_sound(each_database):
    each_database.execute("""
        CREATE TABLE parents (a int PRIMARY KEY); CREATE TABLE children (a int REFERENCES parents);
        DROP ROLE IF EXISTS no_reader; CREATE ROLE no_reader LOGIN PASSWORD 'x'""")
    with psycopg.connect(each_database.dsn_for("no_reader", "x"), autocommit=True) as connection:
        (check,) = read_integrity(connection, ["public.children"]).foreign_keys
    assert (check.orphans, check.evidence) == (None, "this role may not read both tables")


def test_headgates_own_questions_are_no_part_of_the_figures(shop):
    with shop.connect() as connection:
        read_integrity(connection, ["public.users"])
    shop.execute("ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID")
    with shop.connect() as connection:
        read_integrity(connection, ["public.users"])
    assert not any("headgate" in each.query for each in look(shop).statements)


def test_a_plan_that_touches_no_table_is_watched_all_the_same(shop):
    with shop.connect() as connection:
        found = take_snapshot(connection, [])
        assert read_integrity(connection, []).foreign_keys == ()
    assert (dict(found.tables), found.relations) == ({}, ())
    assert found.database["xact_commit"] > 0


def test_what_our_own_role_ran_is_left_out_where_nobody_else_uses_it(shop: Database):
    work(shop)
    with psycopg.connect(shop.dsn, autocommit=True, application_name="headgate watches run 1") as ours:
        alone = take_snapshot(ours, ["public.users"])
        with shop.connect():
            shared = take_snapshot(ours, ["public.users"])
    assert [found for found in alone.statements if found.touches] == []
    assert [found for found in shared.statements if found.touches]
