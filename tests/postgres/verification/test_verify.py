"""Verification of real databases: after what was planned, and after what was not."""

import dataclasses

import psycopg
import pytest

from app.catalog.fingerprint import fingerprint
from app.catalog.schema import read_schema
from app.plan.model import Phase, Plan, Step
from app.verification.report import Verification
from app.verification.verify import verify
from tests.doubles.databases import Database

BEFORE = """
CREATE TABLE users (id int PRIMARY KEY, name text);
INSERT INTO users SELECT g, 'user ' || g FROM generate_series(1, 50) g
"""
EXPAND = "ALTER TABLE users ADD COLUMN role text"
FILL = "UPDATE users SET role = 'user' WHERE role IS NULL"
CONTRACT = "ALTER TABLE users ALTER COLUMN role SET NOT NULL; CREATE INDEX users_role ON users (role)"


def step(identity, kind, **spec) -> Step:
    return Step(id=identity, kind=kind, title=f"the step {identity}", spec=spec)


def a_plan(*more: Step) -> Plan:
    steps = (
        step("add", "sql", sql=EXPAND),
        step("fill", "backfill", table="public.users", set="role = 'user'", where="role IS NULL"),
        step("tighten", "sql", sql=CONTRACT),
        *more,
    )
    return Plan(name="Add user roles", phases=(Phase(name="expand", steps=steps),))


def schema_of(database: Database):
    with database.connect() as connection:
        return read_schema(connection)


def verified(database: Database, plan: Plan, **others) -> Verification:
    with database.connect() as connection:
        return verify(connection, plan=plan, **others)


def item(verification: Verification, identity: str):
    return next(found for found in verification.items if found.id == identity)


@pytest.fixture
def rehearsed(other_database: Database):
    other_database.execute(f"{BEFORE}; {EXPAND}; {FILL}; {CONTRACT}")
    return schema_of(other_database)


@pytest.fixture
def target(database: Database) -> Database:
    database.execute(BEFORE)
    return database


def test_a_run_that_did_what_was_rehearsed_passes(target, rehearsed):
    before = schema_of(target)
    target.execute(f"{EXPAND}; {FILL}; {CONTRACT}")
    plan = a_plan(step("no_nulls", "check", query="SELECT count(*) FROM users WHERE role IS NULL", expect=0))
    result = verified(target, plan, expected_schema=rehearsed, before=before, run_label="128")
    assert result.state == "passed", result.as_json()
    assert [found.id for found in result.items] == [
        "schema",
        "promises",
        "indexes",
        "constraints",
        "check:no_nulls",
        "backfill:fill",
        "left_over",
    ]
    assert result.fingerprint == fingerprint(rehearsed)
    assert Verification.from_json(result.as_json()) == result


def test_the_fingerprint_alone_is_enough_to_tell_that_the_schema_is_the_rehearsed_one(target, rehearsed):
    target.execute(f"{EXPAND}; {FILL}; {CONTRACT}")
    assert verified(target, a_plan(), expected_fingerprint=fingerprint(rehearsed)).state == "passed"
    target.execute("ALTER TABLE users ADD COLUMN surprise int")
    assert item(verified(target, a_plan(), expected_fingerprint=fingerprint(rehearsed)), "schema").state == "failed"


def test_a_difference_from_the_rehearsal_is_named(target, rehearsed):
    target.execute(f"{EXPAND}; {FILL}; ALTER TABLE users ADD COLUMN surprise int; CREATE INDEX users_role ON users (role)")
    result = verified(target, a_plan(), expected_schema=rehearsed)
    assert result.state == "failed"
    assert item(result, "schema").evidence == (
        "column public.users.role is text; after the rehearsal it was text NOT NULL",
        "column public.users.surprise is there, but was not after the rehearsal: int".replace("int", "integer"),
    )
    assert result.sentence() == "4 passed, 1 failed: Schema as rehearsed"


def test_without_a_rehearsal_the_schema_is_unknown_and_the_plans_own_promises_are_checked(target):
    target.execute(f"{EXPAND}; {FILL}")
    result = verified(target, a_plan())
    assert item(result, "schema").state == "unknown"
    assert item(result, "promises").evidence == ("index users_role is missing",)


def test_an_invalid_index_fails_unless_it_was_invalid_before(target):
    target.execute("INSERT INTO users VALUES (51, 'user 1')")
    with pytest.raises(psycopg.errors.UniqueViolation), target.connect() as connection:
        connection.execute("CREATE UNIQUE INDEX CONCURRENTLY users_name ON users (name)")
    result = verified(target, a_plan())
    assert item(result, "indexes").state == "failed"
    assert "public.users_name on public.users is invalid" in item(result, "indexes").evidence[0]
    again = item(verified(target, a_plan(), before=schema_of(target)), "indexes")
    assert (again.state, again.evidence) == ("passed", ("public.users_name on public.users was invalid before the run already",))


def test_a_constraint_left_not_valid_fails_unless_the_plan_leaves_it_so(target):
    loose = "ALTER TABLE users ADD CONSTRAINT named CHECK (name IS NOT NULL) NOT VALID"
    target.execute(loose)
    assert item(verified(target, a_plan()), "constraints").state == "failed"
    on_purpose = item(verified(target, a_plan(step("loose", "sql", sql=loose))), "constraints")
    assert (on_purpose.state, on_purpose.evidence) == ("passed", ("public.users.named is not validated, as the plan leaves it",))
    validated = a_plan(
        step("loose", "sql", sql=loose), step("check_it", "sql", sql="ALTER TABLE users VALIDATE CONSTRAINT named")
    )
    assert item(verified(target, validated), "constraints").state == "failed"


def test_rows_that_the_backfill_left_are_counted(target):
    target.execute(f"{EXPAND}; UPDATE users SET role = 'user' WHERE id > 3")
    found = item(verified(target, a_plan()), "backfill:fill")
    assert (found.state, found.evidence) == ("failed", ("3 rows of public.users are left where role IS NULL",))


def test_a_backfill_whose_column_a_later_step_dropped_is_not_asked_again(target):
    fill = step("fill", "backfill", table="public.users", set="name = old_name", where="name IS DISTINCT FROM old_name")
    drop = step("drop", "sql", sql="ALTER TABLE users DROP COLUMN old_name")
    plan = Plan(name="rename", phases=(Phase(name="expand", steps=(fill, drop)),))
    found = item(verified(target, plan), "backfill:fill")
    assert (found.state, found.evidence) == (
        "passed",
        ("it held when the run passed it; a later step removed what it looks at",),
    )


def test_a_final_check_that_fails_says_what_it_returned(target):
    plan = a_plan(step("count", "check", query="SELECT count(*) FROM users", expect=51))
    found = item(verified(target, plan), "check:count")
    assert (found.state, found.evidence) == ("failed", ("returned 50, expected 51",))
    assert found.looked_at == "SELECT count(*) FROM users"


def test_a_check_before_later_changes_may_have_become_untrue_on_purpose(target):
    early = step("early", "check", query="SELECT count(*) FROM users", expect=51)
    plan = Plan(
        name="x", phases=(Phase(name="expand", steps=(step("a", "sql", sql=EXPAND), early, step("b", "sql", sql=CONTRACT))),)
    )
    assert item(verified(target, plan), "check:early").state == "unknown"


def test_a_precondition_is_not_asked_again(target):
    first = step("first", "check", query="SELECT count(*) FROM users", expect=51)
    plan = Plan(name="x", phases=(Phase(name="expand", steps=(first, step("a", "sql", sql=EXPAND))),))
    assert "check:first" not in [found.id for found in verified(target, plan).items]


def test_a_statement_that_must_be_refused_is_tried_and_never_stays(target):
    target.execute(f"{EXPAND}; {FILL}; {CONTRACT}")
    insert = "INSERT INTO users (id) VALUES (1000)"
    plan = a_plan(step("refused", "check", statement=insert, refused_with="23502"))
    assert item(verified(target, plan), "check:refused").evidence == ("refused with 23502, as expected",)
    target.execute("ALTER TABLE users ALTER COLUMN role DROP NOT NULL")
    found = item(verified(target, plan), "check:refused")
    assert (found.state, found.evidence) == ("failed", ("was taken; it should be refused with 23502 (rolled back)",))
    assert target.value("SELECT count(*) FROM users WHERE id = 1000") == 0


def test_a_check_can_not_change_anything(target):
    plan = a_plan(step("sly", "check", query="WITH gone AS (DELETE FROM users RETURNING 1) SELECT count(*) FROM gone", expect=50))
    assert item(verified(target, plan), "check:sly").state == "unknown"
    assert target.value("SELECT count(*) FROM users") == 50


def test_a_question_that_takes_too_long_is_unknown(target):
    plan = a_plan(step("slow", "check", query="SELECT count(*) FROM pg_sleep(60)", expect=1, timeout_ms=50))
    found = item(verified(target, plan), "check:slow")
    assert (found.state, found.evidence) == ("unknown", ("stopped after its time limit of 0.05 s",))


def test_a_session_of_the_run_that_is_still_there_is_named_with_its_locks(target):
    target.execute(f"{EXPAND}; {FILL}; {CONTRACT}")
    with psycopg.connect(target.dsn, application_name="headgate run 128 step 4") as zombie:
        zombie.execute("LOCK TABLE users IN ROW EXCLUSIVE MODE")
        found = item(verified(target, a_plan(), run_label="128"), "left_over")
    assert found.state == "failed"
    assert "headgate run 128 step 4, idle in transaction, holds public.users RowExclusiveLock" in found.evidence[0]
    assert item(verified(target, a_plan(), run_label="12"), "left_over").state == "passed"


def test_a_rollback_is_held_against_the_schema_before_the_run(target):
    before = schema_of(target)
    target.execute(f"{EXPAND}; ALTER TABLE users DROP COLUMN role")
    result = verified(target, a_plan(), expected_schema=before, is_rollback=True)
    assert [(found.id, found.state) for found in result.items] == [
        ("schema", "passed"),
        ("indexes", "passed"),
        ("constraints", "passed"),
    ]


def test_with_a_skipped_step_the_rehearsals_schema_is_no_measure(target, rehearsed):
    target.execute(f"{EXPAND}; {FILL}")
    result = verified(target, a_plan(), expected_schema=rehearsed, skipped=frozenset({"tighten"}))
    assert item(result, "schema").state == "unknown"
    assert "the step tighten" in item(result, "schema").evidence[0]
    assert item(result, "promises").state == "passed"


def test_a_backfill_that_does_not_end_its_own_condition_is_judged_by_its_certificate(target):
    plan = Plan(
        name="Count",
        phases=(Phase(name="expand", steps=(step("count", "backfill", table="public.users", set="id = -id", where="true"),)),),
    )
    proof = {"proof": "every key was visited exactly once", "gap_free": True, "remaining_rows": None}
    assert item(verified(target, plan), "backfill:count").state == "failed"
    proven = item(verified(target, plan, kept={"count": {"certificate": proof}}), "backfill:count")
    assert (proven.state, proven.evidence) == ("passed", ("every key was visited exactly once",))
    torn = {**proof, "gap_free": False}
    assert item(verified(target, plan, kept={"count": {"certificate": torn}}), "backfill:count").state == "failed"


def test_words_that_another_major_version_prints_differently_are_unknown_and_not_wrong(target, rehearsed):
    target.execute(f"{EXPAND}; {FILL}; {CONTRACT}")
    users = rehearsed.relations["public.users"]
    reworded = tuple(dataclasses.replace(index, definition=index.definition.lower()) for index in users.indexes)
    other = dataclasses.replace(
        rehearsed,
        server_version_num=rehearsed.server_version_num - 10_000,
        relations={"public.users": dataclasses.replace(users, indexes=reworded)},
    )
    assert item(verified(target, a_plan(), expected_schema=other), "schema").state == "unknown"


def test_an_extension_that_the_shadow_lacks_is_no_finding(target, rehearsed):
    before = schema_of(target)
    target.execute(f"{EXPAND}; {FILL}; {CONTRACT}")
    lacking = dataclasses.replace(rehearsed, extensions={})
    assert item(verified(target, a_plan(), expected_schema=lacking, before=before), "schema").state == "passed"


def test_a_lost_connection_is_not_an_answer(target):
    plan = a_plan(step("suicide", "check", query="SELECT pg_terminate_backend(pg_backend_pid())", expect=True))
    with pytest.raises(psycopg.OperationalError):
        verified(target, plan)


def test_a_rehearsal_on_a_newer_major_version_is_a_measure_for_an_older_target(database_17, rehearsed):
    database_17.execute(f"{BEFORE}; {EXPAND}; {FILL}; {CONTRACT}")
    result = verified(database_17, a_plan(), expected_schema=rehearsed, run_label="128")
    assert result.state == "passed", result.as_json()
