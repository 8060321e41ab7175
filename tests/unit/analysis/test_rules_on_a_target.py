"""Rules that speak only where the target shows something: each finds its example there, and says nothing where it is not so."""

import dataclasses

import pytest

from app.analysis.analyse import Script, analyse_scripts
from app.analysis.basis import Basis
from app.analysis.registry import RULES
from app.analysis.rule import RISKS
from app.catalog.records import Column, Constraint, Function, Index, QueryStatistics, Relation, Schema
from tests.doubles.shop import a_shop, sizes

LARGE = sizes(mebibytes=3_000, rows=20_000_000)
STAR = QueryStatistics(query_id=1, query="SELECT * FROM users WHERE id = $1", calls=9, total_ms=1, mean_ms=1, rows=9)


def with_relation(relation: Relation, **also: object) -> Schema:
    shop = a_shop()
    return dataclasses.replace(shop, relations={**shop.relations, relation.name: relation}, **also)


def with_index_on_a_function() -> Schema:
    slug = Function(signature="public.slug(text)", language="sql", volatility="immutable", definition="")
    index = Index(
        name="public.pages_slug", relation="public.pages", definition="CREATE INDEX pages_slug ON public.pages (slug(title))"
    )
    return with_relation(Relation(name="public.pages", kind="table", indexes=(index,)), functions={slug.signature: slug})


def with_cascade() -> Schema:
    key = Constraint(
        name="notes_user_fkey",
        relation="public.notes",
        kind="foreign key",
        definition="FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE",
        columns=("user_id",),
        references="public.users",
        referenced_columns=("id",),
    )
    return with_relation(
        Relation(name="public.notes", kind="table", columns=(Column(name="user_id", type="bigint"),), constraints=(key,))
    )


SHOWN = {
    "delete-takes-others": Basis(schema=with_cascade()),
    "function-in-use": Basis(schema=with_index_on_a_function()),
    "longer-than-timeout": Basis(schema=a_shop(), statistics=LARGE),
    "name-found-elsewhere": Basis(
        schema=with_relation(Relation(name="app.users", kind="table"), search_path=("public", "app"), schemas=("public", "app"))
    ),
    "prepared-statement-fails-once": Basis(
        schema=a_shop(), statistics=dataclasses.replace(LARGE, queries=(STAR,), has_statements=True)
    ),
    "published-table-change": Basis(schema=a_shop(), publications={"public.users": ("warehouse",)}),
    "standbys-replay-lock": Basis(schema=a_shop(), standbys=2),
    "writes-much": Basis(schema=a_shop(), statistics=LARGE),
}


def hits(rule: str, sql: str, basis: Basis) -> list[str]:
    found = analyse_scripts([Script(text=sql)], basis=basis)
    return [finding.risk for finding in found.findings() if finding.rule == rule]


@pytest.mark.parametrize("name", SHOWN)
def test_the_bad_example_is_found_where_the_target_shows_it(name):
    rule = RULES[name]
    assert max(hits(name, rule.bad, SHOWN[name]), key=RISKS.index) == rule.level
    assert hits(name, rule.bad, Basis(schema=a_shop())) == []


@pytest.mark.parametrize("name", [name for name in SHOWN if RULES[name].good])
def test_the_good_example_is_left_alone_there_too(name):
    assert hits(name, RULES[name].good or "", SHOWN[name]) == []


def test_a_delete_of_one_row_that_cascades_is_only_said():
    assert hits("delete-takes-others", "DELETE FROM users WHERE id = 5", SHOWN["delete-takes-others"]) == ["low"]


def test_a_function_that_triggers_run_is_medium():
    basis = SHOWN["function-in-use"]
    relation = Relation(name="public.pages", kind="view", view_definition="SELECT slug('a'::text)")
    seen = dataclasses.replace(basis, schema=dataclasses.replace(basis.schema, relations={relation.name: relation}))
    assert hits("function-in-use", RULES["function-in-use"].bad, seen) == ["medium"]


@pytest.mark.parametrize(
    ("timeout", "statement", "expected"),
    [
        ("500ms", "ALTER TABLE users ADD COLUMN c int", ["low"]),
        ("900", "ALTER TABLE users ADD COLUMN c int", ["low"]),
        ("2s", "ALTER TABLE users ADD COLUMN c int", []),
        ("0", "ALTER TABLE users ADD COLUMN c int", []),
        ("2s", "CREATE INDEX CONCURRENTLY i ON users (age)", ["low"]),
        ("500ms", "CREATE TABLE fresh (a int)", []),
    ],
)
def test_a_lock_timeout_is_compared_with_what_waits(timeout, statement, expected):
    assert hits("lock-timeout-too-short", f"SET lock_timeout = '{timeout}'; {statement}", Basis()) == expected
