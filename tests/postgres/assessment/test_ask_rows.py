"""What only rows can refuse is asked of them beforehand: read-only, with a time limit, and never answered where nobody knows."""

from pathlib import Path

import psycopg
import pytest

from app.analysis.analyse import analyse_script
from app.analysis.probes.probe import Answer, Probe
from app.assessment.ask_rows import Asking, ask_rows
from app.catalog.schema import read_schema
from tests.doubles.databases import Database, fresh_database

PEOPLE = Path(__file__).with_name("people.sql").read_text()
MOOD = "CREATE TYPE mood2 AS ENUM ('sad'); ALTER TABLE people ALTER COLUMN mood TYPE mood2 USING mood::text::mood2"


@pytest.fixture(scope="module")
def people(postgres_server):
    with fresh_database(postgres_server) as made:
        made.execute(PEOPLE)
        yield made


def ask(database: Database, script: str, **how: object) -> tuple[Answer, ...]:
    with database.connect() as connection:
        analysis = analyse_script(script, schema=read_schema(connection))
        return ask_rows(connection, analysis.probes, Asking(**how))


@pytest.mark.parametrize(
    ("script", "count", "sentence"),
    [
        (
            'ALTER TABLE people ALTER COLUMN "Nick" SET NOT NULL',
            25,
            "25 rows of public.people hold NULL in Nick: SET NOT NULL fails",
        ),
        ('ALTER TABLE people ADD CONSTRAINT n NOT NULL "Nick" NOT VALID', 25, "refused by VALIDATE"),
        ("ALTER TABLE people ADD COLUMN z int NOT NULL", 100, "would have no value in z: ADD COLUMN fails"),
        ("CREATE UNIQUE INDEX CONCURRENTLY u ON people (lower(address))", 50, "leaves an INVALID index"),
        ('ALTER TABLE people ADD UNIQUE ("Nick")', 10, "10 values of (Nick) occur more than once"),
        ("CREATE UNIQUE INDEX u ON people (age) WHERE age > 5", 0, "No value"),
        ("ALTER TABLE people ADD FOREIGN KEY (org_id) REFERENCES orgs NOT VALID", 66, "point to no row of public.orgs by org_id"),
        ("ALTER TABLE people ADD CHECK (age >= 0)", 2, "2 rows of public.people violate age >= 0"),
        ("ALTER TABLE people VALIDATE CONSTRAINT grown_up", 13, "VALIDATE fails"),
        (
            "ALTER TABLE people ALTER COLUMN address TYPE varchar(4)",
            80,
            "that is no character varying(4): the type can't be changed",
        ),
        ("ALTER TABLE people ALTER address TYPE varchar(4) USING address::varchar(4)", 80, "they are cut to 4 characters"),
        ("ALTER TABLE people ALTER COLUMN big TYPE int", 98, "that is no integer"),
        ("ALTER TABLE people ALTER COLUMN price TYPE numeric(6,2)", 91, "that is no numeric(6,2)"),
        ("ALTER TABLE people ALTER COLUMN code TYPE int USING code::int", 1, "1 row of public.people hold a value in code"),
        (MOOD, 100, "that is no mood2"),
        ("ALTER DOMAIN email ADD CONSTRAINT longer CHECK (length(VALUE) > 5)", 100, "the domain can't be changed"),
        ("ALTER TABLE people ALTER COLUMN code TYPE email", 100, "that is no email"),
        (
            "ALTER TABLE people ADD EXCLUDE USING gist (room WITH =, during WITH &&)",
            95,
            "95 pairs of public.people exclude each other",
        ),
        ("ALTER TABLE people ADD CONSTRAINT big_enough CHECK (big > 0)", 0, "No row of public.people violate big > 0"),
    ],
)
def test_rows_that_do_not_fit_are_counted(people: Database, script: str, count: int, sentence: str):
    (answer,) = ask(people, script)
    assert (answer.state, answer.count, answer.is_more) == ("fails" if count else "fits", count, False)
    assert sentence in answer.sentence()
    assert len(answer.sample) == min(count, 5)
    assert Answer.from_json(answer.as_json()) == answer


def test_a_row_is_shown_by_its_key_and_what_does_not_fit(people: Database):
    (answer,) = ask(people, "ALTER TABLE people ADD CHECK (age >= 0)")
    assert (answer.columns, answer.sample) == (("id", "age"), (("1", "-2"), ("2", "-1")))


def test_where_rows_may_not_be_shown_only_the_count_leaves_the_target(people: Database):
    (counted,) = ask(people, "ALTER TABLE people ADD CHECK (age >= 0)", shows_rows=False)
    assert (counted.count, counted.columns, counted.sample) == (2, (), ())
    (converted,) = ask(people, "ALTER TABLE people ALTER code TYPE int USING replace(code, ' ', '')::int", shows_rows=False)
    assert (converted.state, converted.reason) == ("fails", "SQLSTATE 22P02")


def test_a_conversion_of_ones_own_is_tried(people: Database):
    (answer,) = ask(people, "ALTER TABLE people ALTER code TYPE int USING replace(code, ' ', '')::int")
    assert answer.sentence() == 'the conversion of code to integer fails: invalid input syntax for type integer: "x7"'
    (fits,) = ask(people, "ALTER TABLE people ALTER code TYPE int USING replace(code, 'x', '')::int")
    assert fits.state == "fits"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "ALTER TABLE people ADD CHECK (pg_sleep(9) IS NULL)",
            "it calls pg_sleep(), which is not run before the plan is approved",
        ),
        ("ALTER TABLE people ALTER code TYPE int USING own(code)", "it calls own()"),
        ("ALTER TABLE people ALTER code TYPE int USING (SELECT 1)", "it holds more than a look at the row"),
        ("ALTER TABLE people ADD made int; ALTER TABLE people ALTER made SET NOT NULL", "the plan itself makes made"),
    ],
)
def test_what_may_not_be_asked_is_not_known(people: Database, script: str, reason: str):
    (answer,) = ask(people, script)
    assert answer.state == "not known"
    assert reason in answer.reason


def test_too_slow_an_answer_is_no_answer(people: Database):
    people.execute(
        "CREATE TABLE IF NOT EXISTS slow AS SELECT g AS id, repeat('x', 200) || g AS code FROM generate_series(1, 300000) g"
    )
    (answer,) = ask(people, "ALTER TABLE slow ADD CHECK (regexp_replace(code, 'x+y', '') <> '')", timeout_ms=20)
    assert (answer.state, answer.reason, answer.count) == ("not known", "no answer within 0.02 s", None)


def test_the_questions_together_have_a_limit_too(people: Database):
    answers = ask(people, "ALTER TABLE people ADD CHECK (age >= 0); ALTER TABLE people ADD CHECK (age > 1)", budget_ms=0)
    assert [answer.state for answer in answers] == ["not known", "not known"]


def test_a_role_that_may_not_read_says_which_right_is_missing(people: Database):
    people.execute("DROP ROLE IF EXISTS blind; CREATE ROLE blind LOGIN PASSWORD 'x'; GRANT SELECT ON orgs TO blind")
    with people.connect() as owner:
        probes = analyse_script("ALTER TABLE people ADD CHECK (age >= 0)", schema=read_schema(owner)).probes
    with psycopg.connect(people.dsn_for("blind", "x"), autocommit=True) as connection:
        (answer,) = ask_rows(connection, probes, Asking())
    assert answer.state == "not known"
    assert "GRANT SELECT ON public.people to Headgate's role" in answer.reason


@pytest.mark.parametrize(
    "question", ["SELECT nextval('numbers')", "SELECT 1) AS x; DROP TABLE people; --", "DELETE FROM people RETURNING id"]
)
def test_a_question_can_neither_write_nor_be_two(people: Database, question: str):
    probe = Probe(kind="check", relation="public.people", found="{n}", effect="x", question=question)
    with people.connect() as connection:
        (answer,) = ask_rows(connection, [probe], Asking())
    assert answer.state == "not known"
    assert people.value("SELECT count(*) FROM people") == 100


def test_equal_questions_are_asked_once(people: Database):
    script = 'ALTER TABLE people ADD CONSTRAINT n NOT NULL "Nick" NOT VALID; ALTER TABLE people ALTER COLUMN "Nick" SET NOT NULL'
    first, second = ask(people, script)
    assert first.took_ms == second.took_ms
    assert (first.probe.statement, second.probe.statement) == (1, 2)


@pytest.mark.parametrize(
    ("bound", "count"),
    [
        ("FROM ('2026-01-01') TO ('2026-02-01')", 2),
        ("FROM (MINVALUE) TO ('2026-02-01')", 1),
        ("FROM ('2026-01-01') TO (MAXVALUE)", 1),
    ],
)
def test_rows_outside_of_a_partitions_bound_are_counted_and_a_dot_in_a_name_is_no_schema(database: Database, bound, count):
    database.execute("CREATE TABLE visits (at date, who text) PARTITION BY RANGE (at)")
    database.execute("CREATE TABLE \"visits.new\" (at date, who text); INSERT INTO \"visits.new\" VALUES ('2026-01-05', 'a')")
    database.execute("INSERT INTO \"visits.new\" VALUES ('2026-02-01', 'late'), ('2025-12-31', 'early')")
    (answer,) = ask(database, f'ALTER TABLE visits ATTACH PARTITION "visits.new" FOR VALUES {bound}')
    assert (answer.state, answer.count) == ("fails", count), answer.sentence()
    assert "lie outside the bound: ATTACH PARTITION fails" in answer.sentence()


def test_a_list_takes_null_only_where_it_says_so(database: Database):
    database.execute("CREATE TABLE places (k int) PARTITION BY LIST (k)")
    database.execute("CREATE TABLE some_places (k int); INSERT INTO some_places VALUES (1), (NULL), (3)")
    (strict,) = ask(database, "ALTER TABLE places ATTACH PARTITION some_places FOR VALUES IN (1, 2)")
    (loose,) = ask(database, "ALTER TABLE places ATTACH PARTITION some_places FOR VALUES IN (1, 3, NULL)")
    assert (strict.count, loose.state) == (2, "fits")
