"""Deletes as backfills: every row that matches goes once, the rest stays, and the end is proven."""

from uuid import uuid4

import pytest

from app.backfill.execute import run_backfill
from app.backfill.expressions import BackfillRefusedError
from app.backfill.faults import NotConvergentError
from app.run.events import BackfillPlanned, Gauge, RowQuarantined
from tests.doubles.databases import Database
from tests.postgres.backfill.running import backfill, order, until, users

OLD = {"table": "public.users", "delete": True, "where": "id <= 9000"}


@pytest.mark.parametrize("strategy", ["windows", "keyset"])
def test_every_row_that_matches_goes_through_a_pause_and_the_rest_stays(strategy: str, database: Database) -> None:
    users(database, 10_000)
    job = uuid4()
    running = run_backfill(order(database, {**OLD, "strategy": strategy, "max_rate": 10_000}, job=job))
    until(running, Gauge, 2)
    running.close()
    assert 1000 < database.value("SELECT count(*) FROM users") < 10_000

    said = backfill(database, {**OLD, "strategy": strategy}, job=job, epoch=2)

    assert database.rows("SELECT min(id), count(*) FROM users") == [(9001, 1000)]
    assert (said.result["rows_changed"], said.result["resumed"]) == (9000, True)
    proof = said.result["certificate"]
    assert (proof["remaining_rows"], proof["gap_free"], proof["disjoint"]) == (0, True, True)


def test_without_a_key_page_windows_delete_too(database: Database) -> None:
    database.execute("CREATE TABLE log (at int, line text)")
    database.execute("INSERT INTO log SELECT g, 'line' FROM generate_series(1, 3000) g")
    said = backfill(database, {"table": "log", "delete": True, "where": "at % 3 = 0"})
    assert said.result["rows_changed"] == 1000
    assert said.of(BackfillPlanned)[0].strategy == "windows"
    assert said.gauges[-1].statement == "DELETE FROM log\n WHERE at % 3 = 0"


def test_foreign_keys_that_make_it_slow_or_take_rows_along_are_said(database: Database) -> None:
    users(database, 100)
    database.execute("CREATE TABLE notes (id int PRIMARY KEY, by bigint REFERENCES users ON DELETE CASCADE)")
    database.execute("INSERT INTO notes VALUES (1, 5), (2, 95)")
    said = backfill(database, {**OLD, "where": "id <= 90"})
    reasons = " ".join(said.of(BackfillPlanned)[0].reasons)
    assert "rows of notes are deleted with them (notes_by_fkey)" in reasons
    assert "no index of notes begins with the columns of notes_by_fkey" in reasons
    assert database.rows("SELECT id FROM notes") == [(2,)]


def test_a_row_that_is_referenced_is_set_aside_by_its_key(database: Database) -> None:
    users(database, 3000)
    database.execute("CREATE TABLE notes (by bigint REFERENCES users)")
    database.execute("INSERT INTO notes VALUES (5), (1700)")
    said = backfill(database, {**OLD, "max_quarantine": 2})
    assert {(event.key, event.sqlstate) for event in said.of(RowQuarantined)} == {
        ('{"id": "5"}', "23503"),
        ('{"id": "1700"}', "23503"),
    }
    assert database.rows("SELECT id FROM users ORDER BY id") == [(5,), (1700,)]


def test_a_trigger_that_keeps_rows_ends_the_walk_instead_of_looping(database: Database) -> None:
    users(database, 300)
    database.execute("CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    database.execute("CREATE TRIGGER keep BEFORE DELETE ON users FOR EACH ROW WHEN (OLD.id = 7) EXECUTE FUNCTION keep()")
    with pytest.raises(NotConvergentError, match="1 rows still match although whole sweeps changed none"):
        backfill(database, OLD)
    assert database.rows("SELECT id FROM users") == [(7,)]


@pytest.mark.parametrize(
    ("prepare", "spec", "words"),
    [
        ("", {"table": "users", "delete": True}, "needs a condition"),
        ("", {**OLD, "set": "role = 'x'"}, "takes one of"),
        ("", {**OLD, "delete": "yes"}, "true or false"),
        ("", {**OLD, "columns": "id"}, "without `into`"),
        ("", {**OLD, "where": "nope"}, "refuses the delete"),
        ("CREATE RULE r AS ON DELETE TO users DO INSTEAD NOTHING", OLD, "rule on DELETE"),
        ("CREATE VIEW v AS SELECT * FROM users", {**OLD, "table": "v"}, "is a view"),
    ],
)
def test_a_delete_that_cannot_be_right_is_refused(prepare: str, spec: dict, words: str, database: Database) -> None:
    users(database, 20)
    if prepare:
        database.execute(prepare)
    with pytest.raises(BackfillRefusedError, match=words):
        backfill(database, spec)
    assert database.value("SELECT count(*) FROM users") == 20
