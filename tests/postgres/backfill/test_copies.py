"""Copies into another table as backfills: every row once, rows that come meanwhile too, and the end is proven."""

from uuid import uuid4

import pytest

from app.backfill.execute import run_backfill
from app.backfill.expressions import BackfillRefusedError
from app.run.events import BackfillPlanned, Gauge, RowQuarantined
from tests.doubles.databases import Database
from tests.postgres.backfill.running import backfill, order, run_to_end, until, users

ROWS = 10_000
NEW = "CREATE TABLE people (id bigint PRIMARY KEY, mail text NOT NULL, role text DEFAULT 'none')"
COPY = {"table": "public.users", "into": "public.people", "columns": "id, lower(email) AS mail", "where": "counter = 0"}


def test_every_row_is_copied_once_through_a_pause_and_the_end_is_proven(database: Database) -> None:
    users(database, ROWS)
    database.execute("UPDATE users SET counter = 1 WHERE id <= 100")
    database.execute(NEW)
    job = uuid4()
    running = run_backfill(order(database, {**COPY, "max_rate": 10_000}, job=job))
    until(running, Gauge, 2)
    running.close()

    said = backfill(database, COPY, job=job, epoch=2)

    assert database.rows("SELECT count(*), min(id), max(mail), min(role) FROM people") == [
        (ROWS - 100, 101, "u999@example.com", "none")
    ]
    assert (said.result["rows_changed"], said.result["rows_scanned"]) == (ROWS - 100, ROWS)
    proof = said.result["certificate"]
    assert (proof["remaining_rows"], proof["gap_free"], proof["disjoint"]) == (0, True, True)
    assert said.gauges[-1].statement.startswith("INSERT INTO public.people\nSELECT id, lower(email) AS mail\n  FROM public.users")


def test_rows_that_come_behind_the_walk_are_copied_by_the_sweep(database: Database) -> None:
    database.execute("CREATE TABLE a (k uuid PRIMARY KEY DEFAULT gen_random_uuid(), v int)")
    database.execute("CREATE TABLE b (LIKE a INCLUDING ALL)")
    database.execute("INSERT INTO a (v) SELECT g FROM generate_series(1, 5000) g")
    late: list[int] = []

    def insert(told: object) -> None:
        if isinstance(told, Gauge) and told.rows_done and len(late) < 3:
            late.append(1)
            database.execute("INSERT INTO a (v) SELECT -g FROM generate_series(1, 50) g")

    said = run_to_end(order(database, {"table": "a", "into": "b", "where": "true", "max_rate": 20_000}), after=insert)

    assert late
    assert database.value("SELECT count(*) FROM (TABLE a EXCEPT TABLE b) AS missing") == 0
    assert database.value("SELECT count(*) FROM b") == 5000 + 50 * len(late)
    assert said.result["certificate"]["sweeps"] >= 1


def test_what_a_trigger_wrote_meanwhile_is_left_as_it_is_and_deleted_rows_stay_away(database: Database) -> None:
    users(database, 2000)
    database.execute(NEW)
    database.execute(
        "CREATE FUNCTION mirror() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF TG_OP = 'DELETE' THEN DELETE FROM people WHERE id = OLD.id; RETURN OLD; END IF;"
        " INSERT INTO people VALUES (NEW.id, NEW.email, 'trigger') ON CONFLICT (id) DO UPDATE SET mail = excluded.mail, role = 'trigger';"
        " RETURN NEW; END $$"
    )
    database.execute("CREATE TRIGGER mirror AFTER INSERT OR UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION mirror()")
    database.execute("UPDATE users SET email = 'changed' WHERE id = 1500")
    with database.connect(autocommit=False) as deleting:
        deleting.execute("DELETE FROM users WHERE id = 700")
        said = run_to_end(
            order(database, {**COPY, "where": "true"}),
            # the walk waits for the row's lock and then finds it gone
            after=lambda told: deleting.commit() if type(told).__name__ == "LockNotGranted" else None,
        )
    assert database.rows("SELECT mail, role FROM people WHERE id = 1500") == [("changed", "trigger")]
    assert database.value("SELECT count(*) FROM people WHERE id = 700") == 0
    assert database.value("SELECT count(*) FROM people") == 1999
    assert said.result["rows_changed"] == 1998


def test_without_a_key_on_the_other_side_each_row_is_copied_once_and_that_is_said(database: Database) -> None:
    users(database, 3000)
    database.execute("CREATE TABLE log (line text, at timestamptz NOT NULL DEFAULT now())")
    said = backfill(database, {"table": "users", "into": "log", "columns": "email AS line", "where": "true"})
    assert database.rows("SELECT count(*), count(DISTINCT line) FROM log") == [(3000, 3000)]
    assert any("no unique key that comes from a key" in reason for reason in said.of(BackfillPlanned)[0].reasons)
    assert said.result["certificate"]["proof"] == "every key from the first to the last was visited exactly once"


def test_a_row_that_the_other_table_refuses_is_set_aside(database: Database) -> None:
    users(database, 500)
    database.execute(NEW)
    database.execute("ALTER TABLE people ADD CHECK (id <> 77), ADD UNIQUE (mail)")
    database.execute("UPDATE users SET email = 'U5@example.com' WHERE id = 300")
    said = backfill(database, {**COPY, "max_quarantine": 2})
    assert {(event.key, event.sqlstate) for event in said.of(RowQuarantined)} == {
        ('{"id": "77"}', "23514"),
        ('{"id": "300"}', "23505"),
    }
    assert database.value("SELECT count(*) FROM people") == 498


def test_identity_columns_and_partitions_are_filled(database: Database) -> None:
    users(database, 1000)
    database.execute(
        "CREATE TABLE parted (id bigint GENERATED ALWAYS AS IDENTITY, email text, twice bigint GENERATED ALWAYS AS (id * 2) STORED,"
        " PRIMARY KEY (id)) PARTITION BY RANGE (id)"
    )
    database.execute("CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (500)")
    database.execute("CREATE TABLE parted_high PARTITION OF parted DEFAULT")
    said = backfill(database, {"table": "users", "into": "parted", "where": "true"})
    assert database.rows("SELECT count(*), sum(twice) - 2 * sum(id) FROM parted") == [(1000, 0)]
    assert "left out: filler, role, counter" in " ".join(said.of(BackfillPlanned)[0].reasons)


@pytest.mark.parametrize(
    ("prepare", "spec", "words"),
    [
        ("", {**COPY, "into": "public.nobody"}, "no table public.nobody"),
        ("", {**COPY, "into": "users"}, "into itself"),
        ("", {**COPY, "columns": "id"}, "mail of public.people must not be NULL"),
        ("", {**COPY, "columns": "id, email AS nope"}, "no column nope"),
        ("", {**COPY, "columns": "id, lower(email)"}, "Column 2 of the list has no name"),
        ("", {**COPY, "columns": "id, *"}, "Column 2 of the list has no name"),
        ("", {**COPY, "columns": "id, email AS mail, role AS mail"}, "fills mail twice"),
        ("", {**COPY, "columns": "id, email AS mail FROM users"}, "more than columns"),
        ("", {**COPY, "columns": "id, counter AS mail, email AS id"}, "fills id twice"),
        ("", {**COPY, "columns": "email AS id, email AS mail"}, "refuses the copy"),
        ("", {**COPY, "strategy": "windows"}, "Page windows do not fit"),
        ("CREATE VIEW v AS SELECT * FROM people", {**COPY, "into": "v"}, "public.v is a view"),
        ("CREATE RULE r AS ON INSERT TO people DO INSTEAD NOTHING", COPY, "rule on INSERT"),
        (
            "CREATE TABLE nokey (id int)",
            {**COPY, "table": "nokey", "columns": "id, 'x' AS mail", "where": "true"},
            "no unique key",
        ),
    ],
)
def test_a_copy_that_cannot_be_right_is_refused(prepare: str, spec: dict, words: str, database: Database) -> None:
    users(database, 20)
    database.execute(NEW)
    if prepare:
        database.execute(prepare)
    with pytest.raises(BackfillRefusedError, match=words):
        backfill(database, spec)
    assert database.value("SELECT count(*) FROM people") == 0
