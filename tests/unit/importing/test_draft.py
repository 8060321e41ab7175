"""Migrations become plans: the written order, phases, pieces, ways back."""

import pytest

from app.catalog.records import Column, Relation, Schema
from app.errors import HeadgateError
from app.importing.backfills import propose_backfill
from app.importing.draft import draft
from app.importing.read import read_upload
from app.importing.source import ImportRefusedError
from app.plan.document import read_plan, write_plan
from app.plan.errors import PlanError
from app.plan.model import Plan
from app.sql.split import split

SCHEMA = Schema(
    relations={
        "public.users": Relation(
            name="public.users",
            kind="table",
            columns=(
                Column(name="id", type="bigint", not_null=True),
                Column(name="email", type="text"),
                Column(name="role", type="text"),
            ),
        )
    }
)


def drafted(files: dict[str, str], **options: object) -> Plan:
    plan = draft(read_upload({name: text.encode() for name, text in files.items()}).migrations, name="p", **options)
    assert read_plan(write_plan(plan)).digest() == plan.digest()
    return plan


def shape(plan: Plan) -> list[tuple[str, str, str]]:
    return [
        (phase.name, step.kind, str(step.spec.get("sql", step.spec)).strip()) for phase in plan.phases for step in phase.steps
    ]


def test_neighbours_that_can_share_a_transaction_become_one_step() -> None:
    plan = drafted({"1_x.sql": "CREATE TABLE a (id int);\n\n-- why b\nCREATE TABLE b (id int);\n"})
    assert shape(plan) == [("expand", "sql", "CREATE TABLE a (id int);\n\n-- why b\nCREATE TABLE b (id int);")]
    (step,) = plan.steps()
    assert (step.id, step.title, step.source_file, step.source_line) == ("1-x", "X", "1_x.sql", 1)


def test_what_refuses_a_transaction_gets_a_step_of_its_own() -> None:
    plan = drafted({"1_x.sql": "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\nCREATE TABLE b (id int);\n"})
    assert [sql for _, _, sql in shape(plan)] == [
        "CREATE TABLE a (id int);",
        "CREATE INDEX CONCURRENTLY i ON a (id);",
        "CREATE TABLE b (id int);",
    ]
    assert [step.source_line for step in plan.steps()] == [1, 2, 3]
    assert [step.id for step in plan.steps()] == ["1-x-1", "1-x-2", "1-x-3"]


def test_phases_follow_what_the_statements_do() -> None:
    plan = drafted(
        {
            "1_x.sql": "ALTER TABLE public.users ADD COLUMN nick text;\n"
            "UPDATE public.users SET nick = 'x' WHERE nick IS NULL;\n"
            "ALTER TABLE public.users ALTER COLUMN nick SET NOT NULL;\n"
        },
        schema=SCHEMA,
    )
    assert [(phase.name, len(phase.steps)) for phase in plan.phases] == [("expand", 1), ("migrate", 1), ("contract", 1)]


def test_the_written_order_is_kept_even_where_phases_would_like_another() -> None:
    plan = drafted(
        {"1_a.sql": "ALTER TABLE public.users ALTER COLUMN email SET NOT NULL;", "2_b.sql": "CREATE TABLE public.late (id int);"},
        schema=SCHEMA,
    )
    assert [(phase, sql.split()[0]) for phase, _, sql in shape(plan)] == [("contract", "ALTER"), ("contract", "CREATE")]


def test_what_happens_to_tables_of_the_same_plan_disturbs_nobody() -> None:
    plan = drafted({"1_x.sql": "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\nALTER TABLE a ALTER id SET NOT NULL;\n"})
    assert [phase.name for phase in plan.phases] == ["expand"]


def test_begin_and_commit_fall_away() -> None:
    plan = drafted({"1_x.sql": "BEGIN;\nCREATE TABLE a (id int);\nCOMMIT;\n"})
    assert shape(plan) == [("expand", "sql", "CREATE TABLE a (id int);")]


def test_rollback_and_savepoints_are_refused_by_line() -> None:
    with pytest.raises(ImportRefusedError, match=r"1_x.sql, line 2: SAVEPOINT") as caught:
        drafted({"1_x.sql": "CREATE TABLE a (id int);\nSAVEPOINT s;\n"})
    assert caught.value.hint


def test_a_down_file_is_the_way_back() -> None:
    plan = drafted(
        {"1_x.up.sql": "CREATE TABLE a (id int);\nCREATE TABLE b (id int);", "1_x.down.sql": "DROP TABLE b;\nDROP TABLE a;\n"}
    )
    (step,) = plan.steps()
    assert step.rollback is not None
    assert (step.rollback.sql, step.rollback.origin, step.rollback.grade) == (
        "DROP TABLE b;\nDROP TABLE a;\n",
        "written",
        "loses-new-writes",
    )


def test_a_down_file_is_shared_out_to_the_steps_where_it_fits() -> None:
    plan = drafted(
        {
            "1_x.up.sql": "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON public.users (email);\n",
            "1_x.down.sql": "DROP INDEX IF EXISTS public.i;\nDROP TABLE IF EXISTS a CASCADE;\n",
        },
        schema=SCHEMA,
    )
    assert [step.rollback.sql for step in plan.steps() if step.rollback] == [
        "DROP TABLE IF EXISTS a CASCADE;\n",
        "DROP INDEX IF EXISTS public.i;\n",
    ]


def test_a_down_file_that_fits_no_step_undoes_all_of_them_at_once() -> None:
    plan = drafted(
        {
            "1_x.up.sql": "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\n",
            "1_x.down.sql": "DROP SCHEMA everything CASCADE;\n",
        }
    )
    first, second = plan.steps()
    assert first.rollback is not None
    assert second.rollback is not None
    assert first.rollback.sql == "DROP SCHEMA everything CASCADE;\n"
    assert (second.rollback.sql, second.rollback.reason) == (None, "1_x.down.sql undoes it together with step 1-x-1.")


def test_a_missing_way_back_names_file_line_and_way_out() -> None:
    with pytest.raises(PlanError) as caught:
        drafted({"m/1_x.up.sql": "CREATE TABLE a (id int);\n\nDELETE FROM public.users;\n"})
    assert (caught.value.file, caught.value.line, caught.value.field) == ("m/1_x.up.sql", 3, "rollback")
    assert "m/1_x.down.sql" in (caught.value.hint or "")


def test_prisma_is_told_to_put_the_way_back_beside_the_migration() -> None:
    with pytest.raises(PlanError) as caught:
        drafted({"prisma/migrations/20240101000000_x/migration.sql": "DELETE FROM public.users;"})
    assert "prisma/migrations/20240101000000_x/down.sql" in (caught.value.hint or "")


def test_a_missing_way_back_can_be_stated_as_irreversible() -> None:
    (step,) = drafted({"1_x.sql": "DELETE FROM public.users;"}, accept_irreversible=True).steps()
    assert step.rollback is not None
    assert (step.rollback.grade, step.rollback.sql) == ("irreversible", None)
    assert "deleted" in step.rollback.reason


def test_a_whole_update_becomes_a_backfill_where_that_is_asked_for() -> None:
    files = {"1_x.sql": "ALTER TABLE users ADD COLUMN nick text;\nUPDATE users SET nick = 'x' WHERE nick IS NULL;\n"}
    assert [step.kind for step in drafted(files, schema=SCHEMA).steps()] == ["sql", "sql"]
    column, fill = drafted(files, schema=SCHEMA, backfills=True).steps()
    assert (fill.kind, fill.spec) == ("backfill", {"table": "public.users", "set": "nick = 'x'", "where": "nick IS NULL"})
    assert fill.rollback is not None
    assert fill.rollback.grade == "lossless"
    assert column.rollback is not None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET role = 'x'",
        "UPDATE users SET role = NULL WHERE role IS NULL",
        "UPDATE users SET role = lower(email) WHERE role IS NULL",
        "UPDATE users SET email = 'x' WHERE role IS NULL",
        "UPDATE users SET role = (SELECT 'x') WHERE role IS NULL",
        "UPDATE users SET role = 'x' FROM orgs WHERE role IS NULL",
        "UPDATE users SET role = 'x' WHERE role IS NULL RETURNING id",
        "UPDATE users SET role = 'x' WHERE role IS NULL AND id > 5",
        "UPDATE users u SET role = 'x' WHERE role IS NULL",
        "UPDATE users SET role = 'set where' WHERE role IS NULL",
        "DELETE FROM users WHERE role IS NULL",
    ],
)
def test_an_update_that_is_not_that_simple_stays_a_statement(statement: str) -> None:
    assert propose_backfill(split(statement)[0], SCHEMA) is None


def test_a_marker_without_transaction_is_kept() -> None:
    (step,) = drafted(
        {"1_x.sql": "-- migrate:up transaction:false\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n"}
    ).steps()
    assert step.spec["transaction"] is False
    assert step.source_line == 1


def test_ids_stay_unique_whatever_the_files_are_called() -> None:
    plan = drafted(
        {
            "a/1_x.sql": "CREATE TABLE a ();",
            "b/1_x.sql": "CREATE TABLE b ();",
            "c/1 X.sql": "CREATE TABLE c ();",
            "d/é.sql": "CREATE TABLE d ();",
        }
    )
    assert [step.id for step in plan.steps()] == ["1-x", "1-x-2", "1-x-3", "migration-4"]


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("CREATE TABLE a (id int);\n  CRATE TABLE b ();", 2, "CRATE"),
        ("-- x\n\\connect other\nSELECT 1;", 2, "connect"),
        ("COPY t FROM stdin;\n1\n\\.\n", 1, "COPY"),
    ],
)
def test_sql_that_can_not_be_read_is_placed(text: str, line: int, sentence: str) -> None:
    with pytest.raises(HeadgateError) as caught:
        drafted({"1_x.sql": text})
    assert (caught.value.file, caught.value.line) == ("1_x.sql", line)
    assert sentence in caught.value.message


def test_sections_keep_the_lines_of_their_file() -> None:
    with pytest.raises(HeadgateError) as caught:
        drafted({"1_x.sql": "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\nDRIP TABLE a;\n"})
    assert caught.value.line == 4


def test_migrations_without_a_statement_make_no_plan() -> None:
    with pytest.raises(PlanError, match=r"no statement in these migrations: 1_x.sql"):
        drafted({"1_x.sql": "-- nothing yet\n"})
