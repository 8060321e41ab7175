"""Which statement gets which recipe, and which gets none."""

import pytest

from app.recipes.recipe import Recipe
from app.recipes.registry import RECIPES
from app.recipes.site import joined_commands, single_commands
from app.sql.split import split
from tests.unit.recipes.shop import a_schema

FITTING = {
    'ALTER TABLE "Users" ADD c uuid DEFAULT gen_random_uuid()': {"add-column-default"},
    'ALTER TABLE "Users" ADD c int UNIQUE': {"add-column-default"},
    'ALTER TABLE "Users" ADD c int DEFAULT 0': set(),
    'ALTER TABLE "Users" ADD c int NOT NULL': set(),
    'ALTER TABLE "Users" ADD c serial UNIQUE': set(),
    'ALTER TABLE "Users" ALTER org SET NOT NULL': {"add-not-null"},
    'ALTER TABLE "Users" ALTER note SET NOT NULL': set(),
    'ALTER TABLE "Users" ALTER org TYPE bigint': {"change-type"},
    'ALTER TABLE "Users" ALTER org TYPE bigint, ALTER note DROP NOT NULL': set(),
    'ALTER TABLE "Users" ALTER "Nick" TYPE varchar(80)': set(),
    'ALTER TABLE "Users" ALTER seen TYPE timestamptz USING seen::timestamptz': set(),
    "ALTER TABLE events ALTER id TYPE int": set(),
    'ALTER TABLE "Users" ADD c int GENERATED ALWAYS AS (org * 2) STORED': {"generated-column", "generated-column-virtual"},
    'ALTER TABLE "Users" ADD CHECK (org > 0)': {"add-check"},
    'ALTER TABLE "Users" ADD CHECK (org > 0) NOT VALID': set(),
    'ALTER TABLE "Users" ADD FOREIGN KEY (org) REFERENCES orgs': {"add-foreign-key"},
    'ALTER TABLE "Users" ADD FOREIGN KEY (org) REFERENCES nowhere': set(),
    'ALTER TABLE "Users" ADD UNIQUE (org)': {"add-unique"},
    "ALTER TABLE events ADD UNIQUE (id)": set(),
    'ALTER TABLE "Users" ADD UNIQUE USING INDEX i': set(),
    "ALTER TABLE orgs ADD PRIMARY KEY (id)": {"add-primary-key"},
    'ALTER TABLE "Users" DROP COLUMN org': {"drop-column"},
    'ALTER TABLE "Users" DROP COLUMN org CASCADE': set(),
    'ALTER TABLE "Users" DROP COLUMN seen': set(),
    "DROP TABLE orgs": {"drop-table"},
    'DROP TABLE "Users"': set(),
    'DROP TABLE orgs, "Users"': set(),
    'ALTER TABLE "Users" RENAME "Nick" TO nick': {"rename-column"},
    'ALTER TABLE "Users" RENAME "Nick" TO org': set(),
    'ALTER TABLE "Users" RENAME TO people': {"rename-table"},
    "ALTER TABLE events_1 RENAME TO e1": set(),
    'CREATE INDEX ON "Users" (org)': {"add-index"},
    'CREATE INDEX CONCURRENTLY i ON "Users" (org)': set(),
    "CREATE INDEX ON events (id)": {"add-index-partitioned"},
    "CREATE INDEX ON ONLY events (id)": set(),
    "ALTER TYPE mood ADD VALUE 'glad'": {"add-enum-value"},
    "ALTER TYPE mood RENAME VALUE 'sad' TO 'glad'": set(),
    'UPDATE "Users" SET full_name = "Nick" || note': {"fill-columns"},
    'UPDATE "Users" SET full_name = full_name || note': set(),
    "UPDATE \"Users\" SET full_name = 'x'": set(),
    'UPDATE "Users" SET full_name = "Nick" || random()': set(),
    'UPDATE "Users" AS u SET full_name = o.id FROM orgs AS o': set(),
    "ALTER TABLE unknown ADD UNIQUE (a)": set(),
    "SELECT 1": set(),
}


def fitting(sql: str, version: int = 18) -> set[str]:
    (statement,) = split(sql)
    return {name for name, recipe in RECIPES.items() if recipe.matches(statement, a_schema(version), version)}


@pytest.mark.parametrize("sql", FITTING)
def test_a_statement_gets_the_recipes_that_know_a_way_for_it(sql: str):
    assert fitting(sql) == FITTING[sql]


@pytest.mark.parametrize("sql", [sql for sql in FITTING if FITTING[sql]])
def test_what_a_recipe_makes_is_whole_on_every_version(sql: str):
    (statement,) = split(sql)
    for version in (14, 17, 18):
        for recipe in RECIPES.values():
            if recipe.matches(statement, a_schema(version), version):
                check_whole(recipe, recipe.steps(statement, a_schema(version), version))


def check_whole(recipe: Recipe, steps) -> None:
    ids = [step.id for _, step in steps]
    assert len(set(ids)) == len(ids), recipe.id
    phases = [("expand", "migrate", "contract").index(phase) for phase, _ in steps]
    assert phases == sorted(phases), recipe.id
    for _, step in steps:
        assert (step.rollback is not None) == (step.kind in {"sql", "backfill"}), step.id
        if step.rollback is None:
            continue
        # what is not undone by SQL says why
        assert step.rollback.sql or step.rollback.reason, step.id
        for text in (step.spec.get("sql"), step.rollback.sql):
            for statement in split(text or ""):
                assert statement.kind != "CreateTrigStmt" or "whenClause" in statement.body, "a dual write without WHEN"


@pytest.mark.parametrize("sql", [sql for sql in FITTING if FITTING[sql]])
def test_without_a_catalog_nothing_is_claimed(sql: str):
    (statement,) = split(sql)
    assert not any(recipe.matches(statement, None, 18) for recipe in RECIPES.values())


def test_not_null_before_18_is_proven_by_a_check_that_goes_again():
    (statement,) = split('ALTER TABLE "Users" ALTER org SET NOT NULL')
    texts = [step.spec["sql"] for _, step in RECIPES["add-not-null"].steps(statement, a_schema(17), 17) if step.kind == "sql"]
    name = '"Users_org_not_null"'
    assert texts == [
        f'ALTER TABLE public."Users" ADD CONSTRAINT {name} CHECK (org IS NOT NULL) NOT VALID;\n',
        f'ALTER TABLE public."Users" VALIDATE CONSTRAINT {name};\n',
        f'ALTER TABLE public."Users" ALTER COLUMN org SET NOT NULL;\nALTER TABLE public."Users" DROP CONSTRAINT {name};\n',
    ]


def test_a_virtual_column_is_no_way_before_18():
    assert fitting('ALTER TABLE "Users" ADD c int GENERATED ALWAYS AS (org * 2) STORED', 17) == {"generated-column"}


def test_steps_for_a_statement_that_does_not_fit_are_refused():
    with pytest.raises(ValueError, match="add-check is not for"):
        RECIPES["add-check"].steps(split("SELECT 1")[0], a_schema(), 18)


def test_commands_are_taken_apart_and_joined_again():
    (statement,) = split('ALTER TABLE "Users" ADD a int, ADD CHECK (a > 0), DROP COLUMN org')
    pieces = single_commands(statement)
    assert [piece.text for piece in pieces] == [
        'ALTER TABLE "Users" ADD COLUMN a int',
        'ALTER TABLE "Users" ADD CHECK (a > 0)',
        'ALTER TABLE "Users" DROP org',
    ]
    assert joined_commands(pieces).text == 'ALTER TABLE "Users" ADD COLUMN a int, ADD CHECK (a > 0), DROP org'
