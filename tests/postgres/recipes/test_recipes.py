"""Every recipe on real servers, while an application reads and writes: none of its queries fails, none waits for long."""

from dataclasses import replace
from uuid import uuid4

import pytest

from app.engine.order import Finished, StepFailed, WaitingGate
from app.plan.model import Phase
from tests.doubles.databases import Database
from tests.doubles.orders import an_order, to_the_end
from tests.doubles.waiting import until
from tests.postgres.recipes.cases import CASES, SETUP
from tests.postgres.recipes.proof import Case, back, plan_of, prove, run_forward, schema_of, shape
from tests.postgres.recipes.traffic import Traffic, traffic


@pytest.mark.parametrize("name", CASES)
def test_a_recipe_does_what_the_statement_does_while_the_application_goes_on(database: Database, name: str):
    prove(database, CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_a_recipe_does_the_same_on_17(database_17: Database, name: str):
    prove(database_17, CASES[name])


def test_the_plain_statement_would_not_pass_the_proof(database: Database):
    case = CASES["a renamed column"]
    database.execute(case.setup)
    with traffic(database, case.old) as seen:
        database.execute(case.statement)
        until(lambda: seen.failures)
    assert "42703" in seen.failures[0]


def test_a_type_that_was_changed_back_keeps_what_was_written_meanwhile(database: Database):
    case = CASES["a new type of a column with all that can hang on it"]
    database.execute(case.setup)
    before = schema_of(database)
    plan = plan_of(case, before)
    shorter = replace(plan, phases=(Phase(name="expand", steps=tuple(plan.steps())[:-1]),))
    order = run_forward(database, case, shorter, Traffic())
    database.execute("UPDATE public.accounts SET number = 77 WHERE id = 1; INSERT INTO public.accounts (number) VALUES (78)")
    database.execute("UPDATE public.accounts SET number = 4000000000 WHERE id = 2")
    undoing = replace(order, key=uuid4(), fence=1, direction="rollback", forward_key=order.key)
    refused = to_the_end(undoing)
    assert isinstance(refused, StepFailed)
    assert refused.error.sqlstate == "23502", "what the old type can't hold stops the way back, and is not lost silently"
    database.execute("UPDATE public.accounts SET number = 79 WHERE id = 2")
    assert isinstance(to_the_end(replace(undoing, fence=2)), Finished)
    assert shape(schema_of(database)) == shape(before)
    kept = database.rows("SELECT number FROM public.accounts WHERE id IN (1, 2, 2001) ORDER BY id")
    assert kept == [(77,), (79,), (78,)]


def test_a_dropped_column_comes_back_with_its_values(database: Database):
    case = CASES["a dropped column"]
    database.execute(case.setup)
    plan = plan_of(case, schema_of(database))
    before = database.rows('SELECT id, age FROM public."Users" ORDER BY id')
    shorter = replace(plan, phases=(Phase(name="expand", steps=tuple(plan.steps())[:-2]),))
    order = run_forward(database, case, shorter, Traffic())
    back(database, order)
    assert database.rows('SELECT id, age FROM public."Users" ORDER BY id') == before


def test_both_names_of_a_renamed_column_read_and_write_the_same(database: Database):
    case = CASES["a renamed column"]
    database.execute(case.setup)
    plan = plan_of(case, schema_of(database))
    first = replace(plan, phases=(Phase(name="expand", steps=tuple(plan.steps())[:1]),))
    run_forward(database, case, first, Traffic())
    database.execute(
        'UPDATE public."Users" SET nick = \'old\' WHERE id = 1; UPDATE public."Users" SET "Nick name" = \'new\' WHERE id = 2'
    )
    assert database.rows('SELECT nick, "Nick name" FROM public."Users" WHERE id < 3 ORDER BY id') == [
        ("old", "old"),
        ("new", "new"),
    ]


def test_split_columns_follow_the_old_one_until_the_application_writes_them(database: Database):
    case = CASES["a split column"]
    database.execute(case.setup)
    plan = plan_of(case, schema_of(database))
    until_gate = [step for step in plan.steps() if step.kind in {"sql", "backfill"}][:-1]
    run_forward(database, case, replace(plan, phases=(Phase(name="expand", steps=tuple(until_gate)),)), Traffic())
    database.execute("UPDATE public.\"Users\" SET nick = 'a b' WHERE id = 1")
    database.execute("INSERT INTO public.\"Users\" (id, nick) VALUES (-1, 'c d')")
    database.execute('UPDATE public."Users" SET "First" = \'own\' WHERE id = 2')
    rows = database.rows('SELECT "First", rest FROM public."Users" WHERE id IN (-1, 1, 2) ORDER BY id')
    assert rows == [("c", "d"), ("a", "b"), ("own", "2")]


def test_rows_that_an_update_leaves_out_are_left_alone_by_the_trigger_too(database: Database):
    case = CASES["a merged column"]
    database.execute(case.setup)
    plan = plan_of(case, schema_of(database))
    follow = next(plan.steps())
    run_forward(database, case, replace(plan, phases=(Phase(name="expand", steps=(follow,)),)), Traffic())
    database.execute('INSERT INTO public."Users" (id, age) VALUES (-1, 3), (-2, 70)')
    assert database.rows('SELECT merged FROM public."Users" WHERE id < 0 ORDER BY id') == [(8,), (None,)]


def test_an_identity_goes_on_counting_after_its_type_was_changed(database: Database):
    case = CASES["a new type of an identity key"]
    database.execute(case.setup)
    database.execute("SELECT nextval('public.t_id_seq') FROM generate_series(1, 100)")
    run_forward(database, case, plan_of(case, schema_of(database)), Traffic())
    assert database.value("INSERT INTO t (a) VALUES ('x') RETURNING id") == 2101
    assert database.value("SELECT data_type::text FROM pg_sequences WHERE sequencename = 't_id_seq'") == "bigint"


def test_a_virtual_column_takes_no_rewrite_and_an_enum_value_its_own_step(database: Database):
    database.execute(SETUP + "CREATE TYPE mood AS ENUM ('sad');")
    schema = schema_of(database)
    virtual = 'ALTER TABLE "Users" ADD COLUMN s text GENERATED ALWAYS AS (upper(nick)) STORED'
    file = database.value("SELECT pg_relation_filenode('public.\"Users\"')")
    for recipe, sql in (
        ("generated-column-virtual", virtual),
        ("add-enum-value", "ALTER TYPE mood ADD VALUE 'glad' BEFORE 'sad'"),
    ):
        case = Case(recipe=recipe, setup="", statement=sql, old=())
        run_forward(database, case, plan_of(case, schema), Traffic())
    assert database.value("SELECT pg_relation_filenode('public.\"Users\"')") == file
    assert database.value('SELECT s FROM public."Users" WHERE id = 1') == "NICK 1"
    assert database.value("SELECT enum_range(NULL::mood)::text") == "{glad,sad}"


def test_a_value_that_does_not_fit_stops_the_plan_and_is_never_cut_off(database: Database):
    case = CASES["a narrower type"]
    database.execute(case.setup + "UPDATE public.\"Users\" SET note = 'longer than ten' WHERE id = 5;")
    order = an_order(database, plan=plan_of(case, schema_of(database)))
    while isinstance(result := to_the_end(order), WaitingGate):
        order = replace(order, fence=order.fence + 1, opened_gates={**order.opened_gates, result.step: "yes"})
    assert isinstance(result, StepFailed)
    assert result.step == "change-note-all-fit"
    assert database.value('SELECT note FROM public."Users" WHERE id = 5') == "longer than ten"
