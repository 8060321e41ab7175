"""Who uses what changes, and what clients of the database see of it."""

import dataclasses
import json

import pytest

from app.analysis.analyse import Script, analyse_script, analyse_scripts
from app.analysis.api_impact import NOTHING, proposal
from app.analysis.basis import Basis
from app.analysis.uses import SHOWN, RelationUse, uses_of
from app.catalog.records import Function, QueryStatistics, Schema, Statistics, Trigger
from tests.doubles.shop import a_shop, sizes


def query(text: str, number: int, per_second: float = 1.0) -> QueryStatistics:
    return QueryStatistics(query_id=number, query=text, calls=100, total_ms=1.0, mean_ms=0.5, rows=1, calls_per_second=per_second)


QUERIES = (
    query("SELECT nickname FROM users WHERE id = $1", 1, 5.0),
    query("SELECT * FROM users", 2, 9.0),
    query("UPDATE users SET nickname = $1 WHERE id = $2", 3, 2.0),
    query("SELECT email FROM v_users", 4),
    query("SELECT 1 FROM orders", 5),
    query("SELECT name FROM users", 6, 50.0),
)
BUSY = dataclasses.replace(
    sizes(mebibytes=10, rows=1000), queries=QUERIES, has_statements=True, counted_seconds=600.0, is_since_last_look=True
)


def with_function(schema: Schema) -> Schema:
    body = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN UPDATE users SET nickname = ''; RETURN new; END$$"
    function = Function(signature="public.f()", language="plpgsql", volatility="volatile", definition=body)
    trigger = Trigger(
        name="keep",
        relation="public.users",
        definition="CREATE TRIGGER keep BEFORE UPDATE OF nickname ON public.users EXECUTE FUNCTION f()",
        function="public.f",
    )
    users = dataclasses.replace(schema.relations["public.users"], triggers=(trigger,))
    return dataclasses.replace(schema, functions={"public.f()": function}, relations={**schema.relations, "public.users": users})


def uses(script: str, statistics: Statistics = BUSY) -> tuple[RelationUse, ...]:
    schema = with_function(a_shop())
    analysis = analyse_scripts([Script(text=script)], basis=Basis(schema=schema, statistics=statistics))
    return uses_of(analysis, schema=schema, statistics=statistics, publications={"public.users": ["feed"]})


def test_known_statements_are_listed_with_the_changing_columns_that_they_name_first() -> None:
    (use,) = uses("ALTER TABLE users DROP COLUMN nickname")
    assert [(each.queryid, each.kind, each.columns, each.has_star) for each in use.queries] == [
        ("1", "reads", ("nickname",), False),
        ("3", "writes", ("nickname",), False),
        ("6", "reads", (), False),
        ("2", "reads", (), True),
        ("4", "reads", (), False),
    ]
    assert (use.reads_per_second, use.writes_per_second) == (65.0, 2.0)
    assert use.publications == ("feed",)


def test_what_hangs_on_a_relation_says_whether_it_uses_what_changes() -> None:
    (use,) = uses("ALTER TABLE users DROP COLUMN nickname")
    assert {(each.kind, each.name, each.is_touched) for each in use.hanging} >= {
        ("view", "public.v_users", False),
        ("trigger", "keep", True),
        ("index", "public.users_nick_idx", True),
        ("function", "public.f()", True),
        ("own foreign key", "users_org_id_fkey to public.orgs", False),
    }
    assert next(each for each in use.hanging if each.kind == "function").is_guess
    (email,) = uses("ALTER TABLE users DROP COLUMN email")
    assert next(each for each in email.hanging if each.kind == "view").is_touched


def test_the_list_of_statements_ends_and_says_how_many_more_there_are() -> None:
    many = dataclasses.replace(BUSY, queries=tuple(query(f"SELECT {number} FROM users", number) for number in range(50)))
    (use,) = uses("ALTER TABLE users ADD COLUMN x int", many)
    assert (len(use.queries), use.more_queries) == (SHOWN, 30)


def test_a_use_survives_its_way_through_json() -> None:
    found = uses("ALTER TABLE users DROP COLUMN nickname; DROP TABLE orders")
    assert {use.relation for use in found} == {"public.users", "public.orders"}
    assert tuple(RelationUse.from_json(json.loads(json.dumps(use.as_json()))) for use in found) == found


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("ALTER TABLE users DROP COLUMN nickname", "`public.users.nickname` goes"),
        ("ALTER TABLE users RENAME COLUMN nickname TO handle", "`public.users.nickname` is called `handle` from then on"),
        ("ALTER TABLE users ADD COLUMN x int", "`public.users.x` (integer) is new: clients that read whole rows see it."),
        ("ALTER TABLE users ADD COLUMN x int NOT NULL", "inserts that do not name it fail"),
        ("ALTER TABLE users ALTER COLUMN age TYPE bigint", "`public.users.age` becomes bigint (was integer)"),
        ("ALTER TABLE users ALTER COLUMN nickname SET NOT NULL", "writes that leave it empty are refused"),
        ("ALTER TABLE users ALTER COLUMN status DROP DEFAULT", "`public.users.status` has no default any more"),
        ("DROP TABLE orders", "`public.orders` goes: whatever names it fails."),
        ("ALTER TABLE orders RENAME TO purchases", "`public.orders` is called `public.purchases` from then on"),
        ("CREATE TABLE fresh (id int)", "`public.fresh` is new: nobody uses it yet."),
        ("DO $$BEGIN ALTER TABLE users DROP COLUMN nickname; END$$", "`public.users.nickname` goes"),
    ],
)
def test_the_api_impact_has_a_proposal(script: str, sentence: str) -> None:
    text = proposal(analyse_script(script, schema=a_shop()).changes)
    assert text.startswith("- ")
    assert sentence in text


@pytest.mark.parametrize(
    "script", ["CREATE INDEX CONCURRENTLY i ON users (age)", "ALTER TABLE users ADD COLUMN IF NOT EXISTS age int"]
)
def test_what_clients_do_not_see_is_not_proposed(script: str) -> None:
    assert proposal(analyse_script(script, schema=a_shop()).changes) == NOTHING


def test_what_breaks_stands_first() -> None:
    script = "ALTER TABLE users ADD COLUMN x int; CREATE TABLE t (a int); ALTER TABLE users DROP COLUMN nickname"
    assert "nickname" in proposal(analyse_script(script, schema=a_shop()).changes).splitlines()[0]
