"""A plan on a shadow of a real database: what is seen, what is left alone, what is said when it fails."""

import pytest

from app.catalog.records import QueryStatistics
from app.plan.model import Phase, Plan, Rollback, Step
from app.rehearsal.rehearse import RehearsalOrder, rehearse
from app.rehearsal.report import Rehearsal
from app.rehearsal.shadow import ShadowError
from tests.doubles.databases import Database


def sql_step(name: str, forward: str, back: str | None, grade: str = "lossless") -> Step:
    return Step(id=name, kind="sql", title=name, spec={"sql": forward}, rollback=Rollback(grade=grade, sql=back))


def plan_of(*steps: Step) -> Plan:
    return Plan(name="A plan", phases=(Phase(name="expand", steps=steps),))


@pytest.fixture
def shop(database: Database) -> Database:
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY, name text)")
    database.execute("CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users)")
    database.execute("INSERT INTO users SELECT i, 'user' FROM generate_series(1, 100) AS i")
    return database


def rehearsed(shop: Database, plan: Plan, queries: tuple[QueryStatistics, ...] = ()) -> Rehearsal:
    return rehearse(RehearsalOrder(plan=plan, target_dsn=shop.dsn, shadow_dsn=shop.server.dsn(), queries=queries))


def test_the_locks_really_taken_are_seen(shop: Database):
    seen = rehearsed(shop, plan_of(sql_step("add", "ALTER TABLE users ADD role text", "ALTER TABLE users DROP role")))
    assert seen.ok
    assert [(lock.relation, lock.mode) for lock in seen.statements[0].locks] == [("public.users", "ACCESS EXCLUSIVE")]
    assert seen.statements[0].locks[0].held_ms > 0
    assert seen.statements[0].rewrites == ()


def test_a_rewrite_and_a_scan_are_seen_although_the_shadow_is_empty(shop: Database):
    plan = plan_of(sql_step("type", "ALTER TABLE users ALTER id TYPE int", "ALTER TABLE users ALTER id TYPE bigint"))
    seen = rehearsed(shop, plan)
    assert seen.statements[0].rewrites == ("public.users",)
    assert "public.users" in seen.statements[0].scans
    assert {lock.relation for lock in seen.statements[0].locks} >= {"public.users", "public.orders"}


def test_a_rollback_that_restores_the_schema_is_proven(shop: Database):
    seen = rehearsed(shop, plan_of(sql_step("add", "ALTER TABLE users ADD role text", "ALTER TABLE users DROP role")))
    assert (seen.round_trip.ran, seen.round_trip.schema_restored, seen.round_trip.left_over) == (True, True, ())
    assert seen.changes[0].object == "public.users.role"
    assert seen.preview is not None
    (table,) = seen.preview.tables
    assert [text.strip() for sign, text in table.difference if sign == "+"] == ["role text,"]
    assert {box.name for box in seen.preview.diagram.boxes} == {"public.users", "public.orders"}


def test_a_rollback_that_leaves_something_behind_is_told_what(shop: Database):
    plan = plan_of(sql_step("add", "CREATE TABLE roles (id int); ALTER TABLE users ADD role text", "DROP TABLE roles"))
    seen = rehearsed(shop, plan)
    assert not seen.round_trip.schema_restored
    assert [change.object for change in seen.round_trip.left_over] == ["public.users.role"]


def test_a_step_that_fails_is_named_with_the_databases_own_error(shop: Database):
    plan = plan_of(
        sql_step("good", "ALTER TABLE users ADD role text", "ALTER TABLE users DROP role"),
        sql_step("bad", "ALTER TABLE nowhere ADD x int", "SELECT 1"),
    )
    seen = rehearsed(shop, plan)
    assert not seen.ok
    assert seen.error["step"] == "bad"
    assert seen.error["sqlstate"] == "42P01"
    assert not seen.round_trip.ran
    assert [trace.step for trace in seen.statements] == ["good", "bad"]


def test_the_target_keeps_its_schema_and_its_rows(shop: Database):
    rehearsed(shop, plan_of(sql_step("drop", "DROP TABLE orders", None, "irreversible")))
    assert shop.value("SELECT count(*) FROM users") == 100
    assert shop.value("SELECT to_regclass('orders') IS NOT NULL")
    assert shop.value("SELECT count(*) FROM pg_database WHERE datname LIKE 'headgate_shadow_%%'") == 0


def test_an_index_built_concurrently_runs_outside_a_transaction(shop: Database):
    plan = plan_of(
        sql_step("index", "CREATE INDEX CONCURRENTLY users_name_idx ON users (name)", "DROP INDEX CONCURRENTLY users_name_idx")
    )
    seen = rehearsed(shop, plan)
    assert seen.ok
    assert seen.round_trip.schema_restored


def test_a_backfill_and_a_check_run_by_their_own_kinds(shop: Database):
    plan = plan_of(
        sql_step("add", "ALTER TABLE users ADD role text", "ALTER TABLE users DROP role"),
        Step(
            id="fill",
            kind="backfill",
            title="Fill",
            spec={"table": "public.users", "set": "role = 'user'", "where": "role IS NULL"},
        ),
        Step(
            id="check",
            kind="check",
            title="None left",
            spec={"query": "SELECT count(*) FROM users WHERE role IS NULL", "expect": 0},
        ),
        Step(id="gate", kind="gate", title="Deployed", spec={"ask": "The release is live"}),
    )
    seen = rehearsed(shop, plan)
    assert seen.ok, seen.error
    assert {note.step: note.outcome for note in seen.steps} == {"fill": "ran", "check": "ran", "gate": "skipped"}


def test_a_query_that_the_plan_breaks_is_named_with_the_phase(shop: Database):
    queries = (
        QueryStatistics(query_id=1, query="SELECT name FROM users WHERE id = $1", calls=500, total_ms=1, mean_ms=1, rows=1),
        QueryStatistics(query_id=2, query="SELECT id FROM users", calls=5, total_ms=1, mean_ms=1, rows=1),
        QueryStatistics(query_id=3, query="VACUUM users", calls=5, total_ms=1, mean_ms=1, rows=1),
        QueryStatistics(query_id=4, query="SELECT oid FROM pg_catalog.pg_class", calls=5, total_ms=1, mean_ms=1, rows=1),
    )
    plan = plan_of(sql_step("rename", "ALTER TABLE users RENAME name TO full_name", "ALTER TABLE users RENAME full_name TO name"))
    seen = rehearsed(shop, plan, queries)
    assert [(query["queryid"], query["broken_by"]) for query in seen.queries["broken"]] == [
        ("1", {"statement": 1, "phase": "expand"})
    ]
    assert [query["queryid"] for query in seen.queries["not_planned"]] == ["3"]
    assert seen.queries["known"] == 3, "what reads nothing but the catalog is no query of an application"


def test_a_query_that_is_planned_again_and_again_stays_fine(shop: Database):
    text = "SELECT name FROM users WHERE id = $1"
    queries = tuple(QueryStatistics(query_id=n, query=text, calls=1, total_ms=1, mean_ms=1, rows=1) for n in range(12))
    seen = rehearsed(shop, plan_of(sql_step("add", "ALTER TABLE users ADD role text", "ALTER TABLE users DROP role")), queries)
    assert seen.queries["broken"] == []
    assert seen.queries["planned"] == 12


def test_a_shadow_server_that_is_away_is_named(shop: Database):
    order = RehearsalOrder(plan=plan_of(), target_dsn=shop.dsn, shadow_dsn="postgresql://localhost:1/postgres")
    with pytest.raises(ShadowError, match="could not be reached"):
        rehearse(order)
