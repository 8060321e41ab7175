"""Known statements that would be planned otherwise: on a shadow that has the target's statistics and sizes and none of its rows."""

from pathlib import Path

import psycopg
import pytest

from app.catalog.records import QueryStatistics
from app.rehearsal.query_plan import NotPlannableError, plan_of
from app.rehearsal.rehearse import RehearsalOrder, rehearse
from app.rehearsal.report import Rehearsal
from tests.doubles.databases import Database
from tests.postgres.rehearsal.test_rehearse import plan_of as a_plan
from tests.postgres.rehearsal.test_rehearse import sql_step

BY_USER = "SELECT total FROM orders WHERE user_id = $1"
BY_KEY = "SELECT total FROM orders WHERE id = $1"
RECENT = "SELECT count(*) FROM orders WHERE made > now() - interval $1"


@pytest.fixture
def shop(database: Database) -> Database:
    database.execute("""
        CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL, total int, made timestamptz DEFAULT now());
        INSERT INTO orders (id, user_id, total) SELECT g, g % 5000, g FROM generate_series(1, 60000) g;
        CREATE INDEX orders_user_id_idx ON orders (user_id)""")
    database.execute("VACUUM ANALYZE orders")
    return database


def known(*texts: str) -> tuple[QueryStatistics, ...]:
    return tuple(
        QueryStatistics(query_id=number, query=text, calls=100 * number, total_ms=1, mean_ms=1, rows=1)
        for number, text in enumerate(texts, 1)
    )


def rehearsed(shop: Database, forward: str, back: str, *texts: str, **more: object) -> Rehearsal:
    order = RehearsalOrder(
        plan=a_plan(sql_step("change", forward, back)),
        target_dsn=shop.dsn,
        shadow_dsn=shop.server.dsn(),
        queries=known(*texts),
        **more,
    )
    return rehearse(order)


DROP = ("DROP INDEX orders_user_id_idx", "CREATE INDEX orders_user_id_idx ON orders (user_id)")


def test_a_statement_that_loses_its_index_is_named_with_both_plans_and_their_costs(shop: Database):
    seen = rehearsed(shop, *DROP, BY_USER, BY_KEY, RECENT)
    assert seen.ok, seen.error
    assert (seen.queries["planned"], seen.queries["compares_costs"]) == (3, True)
    (changed,) = seen.queries["changed"]
    assert (changed["queryid"], changed["calls"], changed["changed_by"]) == ("1", 100, {"statement": 1, "phase": "expand"})
    assert "Index Scan" in changed["plan_before"]
    assert "orders_user_id_idx" in changed["plan_before"]
    assert changed["plan_after"] == "Seq Scan on orders"
    assert changed["cost_after"] > 10 * changed["cost_before"]


def test_costs_on_the_shadow_are_those_of_the_target(shop: Database):
    with shop.connect() as connection:
        there = plan_of(connection, BY_USER)
    (changed,) = rehearsed(shop, *DROP, BY_USER).queries["changed"]
    assert changed["cost_before"] == pytest.approx(there.cost, rel=0.2)


def test_a_new_index_that_a_statement_takes_changes_its_plan_for_the_better(shop: Database):
    forward = "CREATE INDEX orders_made_idx ON orders (made)"
    (changed,) = rehearsed(shop, forward, "DROP INDEX orders_made_idx", "SELECT id FROM orders ORDER BY made LIMIT 1").queries[
        "changed"
    ]
    assert "orders_made_idx" in changed["plan_after"]
    assert changed["cost_after"] < changed["cost_before"] / 10


def test_what_is_planned_as_before_again_is_not_changed(shop: Database):
    seen = rehearsed(shop, "DROP INDEX orders_user_id_idx; CREATE INDEX other ON orders (user_id)", "SELECT 1", BY_KEY)
    assert seen.queries["changed"] == []


def test_a_broken_statement_is_not_changed_as_well(shop: Database):
    seen = rehearsed(shop, "ALTER TABLE orders DROP COLUMN total", "ALTER TABLE orders ADD COLUMN total int", BY_USER)
    assert (len(seen.queries["broken"]), seen.queries["changed"]) == (1, [])


def test_where_statistics_stay_on_the_target_the_shape_still_tells(shop: Database):
    seen = rehearsed(shop, *DROP, BY_USER, copies_statistics=False)
    assert seen.queries["compares_costs"] is False
    assert len(seen.queries["changed"]) == 1
    assert "The policy keeps statistics on the target: costs are those of empty tables." in seen.notes


def test_the_shadows_files_are_empty_while_the_plan_runs_and_gone_afterwards(shop: Database):
    before = sorted(path.name for path in Path(shop.server.data, "base").iterdir())
    seen = rehearsed(
        shop, "ALTER TABLE orders ALTER COLUMN total TYPE bigint", "ALTER TABLE orders ALTER COLUMN total TYPE int", BY_KEY
    )
    assert seen.statements[0].rewrites == ("public.orders",)
    assert seen.statements[0].wal_bytes < 1_000_000, "a rewrite of 60,000 rows would write megabytes"
    assert sorted(path.name for path in Path(shop.server.data, "base").iterdir()) == before


HOSTILE = (
    "SELECT 1; DROP TABLE orders",
    "ANALYZE DELETE FROM orders",
    "SELECT 1; COMMIT; DELETE FROM orders",
    "SELECT date $1; DELETE FROM orders",
    "CREATE TABLE more AS SELECT 1",
)
SNEAKY = """
    CREATE SEQUENCE counted;
    CREATE FUNCTION sneaky() RETURNS int IMMUTABLE LANGUAGE plpgsql AS
        $$BEGIN PERFORM nextval('counted'), set_config('work_mem', '1MB', false); RETURN 1; END$$"""


@pytest.mark.parametrize("generic_since", [160000, 999999])
def test_a_known_text_brings_no_second_statement_and_leaves_nothing_behind(
    shop: Database, monkeypatch: pytest.MonkeyPatch, generic_since: int
):
    monkeypatch.setattr("app.rehearsal.query_plan._GENERIC_SINCE", generic_since)
    shop.execute(SNEAKY)
    with shop.connect() as connection:
        connection.execute("SET standard_conforming_strings = off")
        assert "Result" in plan_of(connection, r"SELECT '\', '; DROP TABLE orders; --'").text()
        for text in HOSTILE:
            with pytest.raises(NotPlannableError):
                plan_of(connection, text)
        # the planner calls what says that it is IMMUTABLE
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            plan_of(connection, "SELECT id FROM orders WHERE id = sneaky()")
        assert "ModifyTable" in plan_of(connection, "DELETE FROM orders WHERE id = $1").text()
        assert "LockRows" in plan_of(connection, "SELECT id FROM orders WHERE id = $1 FOR UPDATE").text()
        assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (60000,)
        assert connection.execute("SELECT is_called FROM counted").fetchone() == (False,)
        assert connection.execute("SHOW plan_cache_mode").fetchone() == ("auto",)


def test_older_servers_plan_by_preparing(shop: Database, database_17: Database, monkeypatch: pytest.MonkeyPatch):
    database_17.execute("CREATE TABLE orders (id bigint PRIMARY KEY, total int)")
    monkeypatch.setattr("app.rehearsal.query_plan._GENERIC_SINCE", 999999)
    with database_17.connect() as connection:
        assert "orders_pkey" in plan_of(connection, BY_KEY).text()
        assert "orders" in plan_of(connection, "SELECT * FROM orders").text()
        with pytest.raises(psycopg.errors.UndefinedColumn):
            plan_of(connection, BY_USER)
        assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)


def test_a_shadow_of_an_older_version_says_that_costs_are_not_comparable(database_17: Database):
    database_17.execute("CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, total int)")
    seen = rehearse(
        RehearsalOrder(
            plan=a_plan(sql_step("change", "ALTER TABLE orders ADD x int", "ALTER TABLE orders DROP x")),
            target_dsn=database_17.dsn,
            shadow_dsn=database_17.server.dsn(),
            queries=known(BY_KEY),
        )
    )
    assert seen.ok
    assert seen.queries["compares_costs"] is False
    assert any("Statistics can't be copied before PostgreSQL 18" in note for note in seen.notes)
