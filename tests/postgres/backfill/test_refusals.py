"""What is refused, each with its reason and way out, before the first row is touched."""

from dataclasses import replace

import pytest

from app.backfill.expressions import BackfillRefusedError
from app.backfill.faults import NotConvergentError
from app.run.events import BackfillPlanned
from tests.doubles.databases import Database
from tests.postgres.backfill.running import COUNT, FILL, backfill, order, run_to_end, users

CASES = [
    ("", {**FILL, "table": "public.nothing"}, "no table public.nothing"),
    ("CREATE VIEW v AS SELECT * FROM users", {**FILL, "table": "v"}, "public.v is a view"),
    ("CREATE MATERIALIZED VIEW v AS SELECT * FROM users", {**FILL, "table": "v"}, "is a materialized view"),
    (
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE v (role text) SERVER s",
        {**FILL, "table": "v"},
        "is a foreign table",
    ),
    ("", {**FILL, "table": "pg_catalog.pg_class", "set": "relname = 'x'", "where": "true"}, "PostgreSQL itself"),
    ("CREATE TABLE nokey (n int)", {"table": "nokey", "set": "n = n + 1"}, "no unique key"),
    (
        "CREATE TABLE nullkey (k int UNIQUE, n int); INSERT INTO nullkey SELECT NULL, g FROM generate_series(1, 10001) g",
        {"table": "nullkey", "set": "n = n + 1"},
        "More than 10,000 rows of public.nullkey have NULL in k",
    ),
    ("", {**FILL, "set": "id = id + 1"}, "part of the key"),
    ("", {**FILL, "set": "nope = 1"}, "no column nope"),
    ("", {**FILL, "where": "nope = 1"}, "nope"),
    ("", {**FILL, "set": "role = 17 + email"}, "refuses the update"),
    ("", {**FILL, "where": "random() < 0.5"}, "another answer each time"),
    ("", {**FILL, "key": ["email"]}, "can't be walked"),
    ("ALTER TABLE users ADD g int GENERATED ALWAYS AS (counter * 2) STORED", {**FILL, "set": "g = 1"}, "generated column"),
    ("ALTER TABLE users ADD i int GENERATED ALWAYS AS IDENTITY", {**FILL, "set": "i = 1"}, "IDENTITY"),
    ("CREATE RULE r AS ON UPDATE TO users DO ALSO NOTHING", FILL, "rule on UPDATE"),
    ("", {**COUNT, "strategy": "windows"}, "Page windows do not fit"),
    ("CREATE TABLE nokey (role text)", {**FILL, "table": "nokey", "strategy": "keyset"}, "no unique key"),
    (
        (
            "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;"
            "CREATE TABLE far (role text, n int) PARTITION BY LIST (role);"
            "CREATE FOREIGN TABLE far_a PARTITION OF far FOR VALUES IN ('a') SERVER s"
        ),
        {"table": "far", "set": "n = 1", "where": "n IS NULL"},
        "a part of the table, is a foreign table",
    ),
    (
        (
            "CREATE TABLE parted (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
            "CREATE TABLE parted_all PARTITION OF parted DEFAULT"
        ),
        {"table": "parted", "set": "at = now()", "where": "true"},
        "other partitions",
    ),
]


def _app_role(database: Database) -> None:
    """A role of the application, which may make Headgate's schema and nothing else; roles belong to the whole server."""
    if not database.rows("SELECT 1 FROM pg_roles WHERE rolname = 'app_role'"):
        database.execute("CREATE ROLE app_role LOGIN PASSWORD 'app'")
    database.execute(f'GRANT CREATE ON DATABASE "{database.name}" TO app_role')


@pytest.mark.parametrize(("prepare", "spec", "words"), CASES, ids=[case[2] + " " + str(case[1]["table"]) for case in CASES])
def test_a_backfill_that_cannot_be_right_is_refused(prepare: str, spec: dict, words: str, database: Database) -> None:
    users(database, 50)
    if prepare:
        database.execute(prepare)
    with pytest.raises(BackfillRefusedError, match=words.replace("(", "\\(")):
        backfill(database, spec)
    assert database.value("SELECT count(*) FROM users WHERE role IS NOT NULL OR counter <> 0") == 0


def test_rows_hidden_by_row_level_security_are_not_silently_left_out(database: Database) -> None:
    users(database, 50)
    _app_role(database)
    database.execute("GRANT SELECT, UPDATE ON users TO app_role")
    database.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    database.execute("CREATE POLICY mine ON users USING (id < 10)")
    asked = replace(order(database, FILL), dsn=database.dsn_for("app_role", "app"))
    with pytest.raises(BackfillRefusedError, match="Row-level security"):
        run_to_end(asked)


def test_a_predicate_that_its_update_does_not_end_is_walked_by_key_once(database: Database) -> None:
    users(database, 300)
    said = backfill(database, {"table": "users", "set": "counter = counter + 1", "where": "counter < 10"})
    assert said.of(BackfillPlanned)[0].strategy == "keyset"
    assert database.rows("SELECT min(counter), max(counter) FROM users") == [(1, 1)]


def test_a_trigger_that_takes_the_value_back_is_seen_on_trial(database: Database) -> None:
    users(database, 300)
    database.execute("CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.role := NULL; RETURN NEW; END'")
    database.execute("CREATE TRIGGER undo BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION undo()")
    said = backfill(database, FILL)
    assert said.of(BackfillPlanned)[0].strategy == "keyset"
    assert said.result["rows_changed"] == 300


def test_rows_that_still_match_stop_the_walk_instead_of_looping(database: Database) -> None:
    database.execute("CREATE TABLE t (role text, old text)")
    # the trial meets rows that end the condition; those that do not come later
    database.execute("INSERT INTO t SELECT NULL, CASE WHEN g < 2000 THEN 'x' END FROM generate_series(1, 3000) g")
    database.execute("VACUUM ANALYZE t")
    with pytest.raises(NotConvergentError, match="still match the condition after they were updated"):
        backfill(database, {"table": "t", "set": "role = old", "where": "role IS NULL"})


def test_a_role_without_rights_is_told_the_exact_grant(database: Database) -> None:
    users(database, 10)
    _app_role(database)
    with pytest.raises(BackfillRefusedError) as refused:
        run_to_end(replace(order(database, FILL), dsn=database.dsn_for("app_role", "app")))
    assert refused.value.hint == "Let its owner run: GRANT SELECT, UPDATE ON public.users TO app_role;"
