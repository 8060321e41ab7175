"""Rollbacks without a server: what is certain without a catalog, what is not, and how one statement's inverse depends on those before."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalog.records import Column, Constraint, Index, Relation, Schema
from app.sql.inverse import Deriver, derive_rollback, inverse
from app.sql.inverse.chosen_names import object_name
from app.sql.split import split
from tests.postgres.inverse.statements import CASES


def column(name: str, **fields: object) -> Column:
    return Column(name=name, type="text", **fields)


SCHEMA = Schema(
    relations={
        "public.users": Relation(
            name="public.users",
            kind="table",
            owner="me",
            columns=(column("id", not_null=True), column("nick", default="'x'::text"), column("email", not_null=True)),
            indexes=(
                Index(
                    name="public.users_nick_idx",
                    relation="public.users",
                    definition="CREATE INDEX users_nick_idx ON public.users USING btree (nick)",
                    columns=("nick",),
                    depends_on=("nick",),
                ),
            ),
            constraints=(
                Constraint(name="users_check", relation="public.users", kind="check", definition="CHECK (true)"),
                Constraint(
                    name="users_nick_check",
                    relation="public.users",
                    kind="check",
                    definition="CHECK ((nick <> ''::text))",
                    columns=("nick",),
                ),
            ),
        )
    }
)


def undo(script: str, schema: Schema | None = None) -> str | None:
    rollback = Deriver(schema).rollback(split(script))
    return rollback.sql if rollback.sql is not None or rollback.grade != "irreversible" else f"? {rollback.reason}"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE TABLE t (id int)", "DROP TABLE t;\n"),
        ('CREATE TABLE "My Table" (id int)', 'DROP TABLE "My Table";\n'),
        ("ALTER TABLE public.t ADD COLUMN c int", "ALTER TABLE public.t DROP COLUMN c;\n"),
        ("ALTER TABLE t ADD CONSTRAINT x CHECK (a > 0)", "ALTER TABLE t DROP CONSTRAINT x;\n"),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON app.t (a)", "DROP INDEX CONCURRENTLY app.i;\n"),
        ("ALTER TABLE t RENAME COLUMN a TO b", "ALTER TABLE t RENAME COLUMN b TO a;\n"),
        ("ALTER TABLE app.t SET SCHEMA other", "ALTER TABLE other.t SET SCHEMA app;\n"),
        ("ALTER TABLE t ALTER a SET NOT NULL", "ALTER TABLE t ALTER COLUMN a DROP NOT NULL;\n"),
        ("CREATE FUNCTION f(a int, b app.mood) RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION f(integer, app.mood);\n"),
        ("VACUUM t", None),
        ("SELECT 1", None),
    ],
)
def test_what_a_statement_makes_can_be_undone_without_a_catalog(statement: str, expected: str | None) -> None:
    assert undo(statement) == expected


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("CREATE TABLE IF NOT EXISTS t (id int)", "only the catalog can tell"),
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS c int", "only the catalog can tell"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", "only the catalog can tell"),
        ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "only the catalog can tell"),
        ("CREATE INDEX ON t (a)", "name the index"),
        ("ALTER TABLE t ADD CHECK (a > 0)", "name the constraint"),
        ("ALTER TABLE t ADD PRIMARY KEY (id)", "name the constraint"),
        ("ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY (id)", "catalog only"),
        ("ALTER TABLE t ALTER a SET DEFAULT 5", "catalog only"),
        ("ALTER TABLE t ALTER a TYPE bigint", "catalog only"),
        ("ALTER TABLE t DROP COLUMN a", "data are lost"),
        ("DROP TABLE t", "rows are lost"),
        ("DROP INDEX i", "catalog only"),
        ("GRANT SELECT ON t TO r", "not known"),
        ("UPDATE t SET a = 1", "capture them first"),
        ("DO $$ BEGIN NULL; END $$", "no rule"),
        ("ALTER TABLE t SET TABLESPACE x", "no rule for undoing set table space"),
        ("ALTER TYPE mood ADD VALUE 'x'", "can't take a value"),
        ("SELECT pg_catalog.setval('s', 5)", "setval"),
    ],
)
def test_what_is_not_certain_is_left_to_a_person_with_the_reason(statement: str, reason: str) -> None:
    rollback = inverse(split(statement)[0], None)
    assert (rollback.grade, rollback.sql) == ("irreversible", None)
    assert reason in rollback.reason
    assert derive_rollback(statement, None) is None


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("ALTER TABLE users ALTER nick SET DEFAULT 'y'", "ALTER TABLE public.users ALTER COLUMN nick SET DEFAULT 'x'::text;\n"),
        ("ALTER TABLE users ALTER email SET NOT NULL", None),
        ("CREATE INDEX ON users (nick)", "DROP INDEX public.users_nick_idx1;\n"),
        ("CREATE INDEX ON users (lower(nick))", "DROP INDEX public.users_lower_idx;\n"),
        (
            "CREATE INDEX ON users (CAST(nick AS int))",
            "? The index has no name: name the index, so that it can be dropped by it.",
        ),
        ("ALTER TABLE users ADD CHECK (1 = 1)", "ALTER TABLE public.users DROP CONSTRAINT users_check1;\n"),
        ("ALTER TABLE users ADD CHECK (nick > '')", "ALTER TABLE public.users DROP CONSTRAINT users_nick_check1;\n"),
        ("ALTER TABLE users ADD UNIQUE (nick, email)", "ALTER TABLE public.users DROP CONSTRAINT users_nick_email_key;\n"),
        ("DROP INDEX users_nick_idx", "CREATE INDEX users_nick_idx ON public.users USING btree (nick);\n"),
        (
            "DROP INDEX CONCURRENTLY users_nick_idx",
            "CREATE INDEX CONCURRENTLY users_nick_idx ON public.users USING btree (nick);\n",
        ),
        # what the script made goes with it, what it dropped can't be dropped twice
        (
            "CREATE TABLE t (a int); INSERT INTO t VALUES (1); GRANT SELECT ON t TO r; ALTER TABLE t ALTER a TYPE bigint",
            "DROP TABLE t;\n",
        ),
        (
            "CREATE TABLE t (a int); DROP TABLE t",
            "? The same plan makes it and drops it: leave both out, or write how to undo it.",
        ),
        (
            "CREATE TABLE p (a int) PARTITION BY LIST (a); ALTER TABLE p ATTACH PARTITION users DEFAULT",
            "? What the partition gets from its parent is known to the catalog only.",
        ),
        # a default that was set before is not known any more, and neither is anything after a DO block
        (
            "ALTER TABLE users ALTER nick SET DEFAULT 'y'; ALTER TABLE users ALTER nick SET DEFAULT 'z'",
            "? The default before is not known.",
        ),
        # the safe way to NOT NULL, with the constraint coming back as it was written
        (
            "ALTER TABLE users ADD CONSTRAINT n CHECK (nick IS NOT NULL AND ',' <> nick) NOT VALID, ADD COLUMN z int; ALTER TABLE users DROP CONSTRAINT n",
            "ALTER TABLE public.users ADD CONSTRAINT n CHECK (nick IS NOT NULL AND ',' <> nick) NOT VALID;\nALTER TABLE public.users DROP COLUMN z;\nALTER TABLE public.users DROP CONSTRAINT n;\n",
        ),
        # a renamed table is no longer known by its records
        (
            "ALTER TABLE users RENAME TO people; DROP INDEX users_nick_idx",
            "? What the table is like now is not known after the statements before.",
        ),
        ("SET search_path = app; CREATE TABLE t (a int)", "DROP TABLE app.t;\n"),
        (
            "SET search_path = app; CREATE TYPE mood AS ENUM ('a')",
            "? The script changes the search_path: write the names with their schema.",
        ),
    ],
)
def test_each_statement_is_judged_by_the_catalog_as_those_before_have_left_it(script: str, expected: str | None) -> None:
    assert undo(script, SCHEMA) == expected


def test_a_deriver_remembers_the_steps_before() -> None:
    deriver = Deriver(SCHEMA)
    assert deriver.derive("ALTER TABLE users ADD COLUMN role text") is not None
    fill = deriver.derive("UPDATE users SET role = 'x'")
    assert fill is not None
    assert (fill.sql, fill.grade) == (None, "lossless")
    assert deriver.derive("UPDATE users SET nick = 'x'") is None


def test_grades_of_a_script_are_the_worst_of_its_statements() -> None:
    rollback = derive_rollback("CREATE INDEX i ON users (nick); ALTER TABLE users ADD COLUMN c int", SCHEMA)
    assert rollback is not None
    assert (rollback.grade, rollback.origin) == ("loses-new-writes", "derived")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("users", "nick", "idx"), "users_nick_idx"),
        (("users", None, "pkey"), "users_pkey"),
        (("t" * 63, "c" * 63, "idx"), "t" * 29 + "_" + "c" * 29 + "_idx"),
        (("t" * 63, "c", "fkey1"), "t" * 55 + "_c_fkey1"),
        (("é" * 31, None, "pkey"), "é" * 29 + "_pkey"),
    ],
)
def test_names_are_cut_as_postgresql_cuts_them(parts: tuple[str, str | None, str], expected: str) -> None:
    assert object_name(*parts) == expected
    assert len(expected.encode()) <= 63


@pytest.mark.parametrize("schema", [None, SCHEMA], ids=["no catalog", "another catalog"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0][:60])
def test_no_statement_breaks_the_derivation_and_every_inverse_parses(case: tuple[str, str], schema: Schema | None) -> None:
    rollback = Deriver(schema).rollback(split(case[0]))
    split(rollback.sql or "")
    assert rollback.reason or rollback.sql


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([case[0] for case in CASES]), min_size=2, max_size=6))
def test_any_sequence_of_statements_has_a_rollback_or_a_reason(statements: list[str]) -> None:
    rollback = Deriver(SCHEMA).rollback(split("; ".join(statements)))
    split(rollback.sql or "")
    assert rollback.sql or rollback.reason


def test_a_thousand_statements_on_two_thousand_tables_take_under_a_second() -> None:
    relations = {
        f"public.t{number}": Relation(name=f"public.t{number}", kind="table", columns=(column("a"),)) for number in range(2000)
    }
    script = ";".join(f"ALTER TABLE t{number} ADD COLUMN b int; CREATE INDEX ON t{number} (a)" for number in range(500))
    statements = split(script)
    begun = time.process_time()
    Deriver(Schema(relations=relations)).rollback(statements)
    assert time.process_time() - begun < 1
