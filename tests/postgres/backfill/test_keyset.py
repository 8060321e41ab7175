"""Keyset walks on a real server: every row exactly once, whatever the key and whatever happens meanwhile."""

from uuid import uuid4

import pytest
from psycopg import sql

from app.backfill.execute import run_backfill
from app.run.events import BackfillPlanned, Gauge
from tests.doubles.databases import Database
from tests.postgres.backfill.running import COUNT, backfill, order, until, users

KEYS = {
    "bigint with holes": ("k bigint PRIMARY KEY", "g * 97", 4000),
    "negative numbers": ("k int PRIMARY KEY", "g - 2000", 4000),
    "uuid": ("k uuid PRIMARY KEY", "md5(g::text)::uuid", 4000),
    "text in the database's order": ("k text PRIMARY KEY", "CASE WHEN g % 2 = 0 THEN 'Ä' ELSE 'a' END || md5(g::text)", 4000),
    "text that ignores case": ("k citext PRIMARY KEY", "CASE WHEN g % 2 = 0 THEN 'Z' ELSE 'z' END || g", 4000),
    "text in byte order": ('k text COLLATE "C" PRIMARY KEY', "CASE WHEN g % 2 = 0 THEN 'Z' ELSE 'a' END || g", 4000),
    "fixed length": ("k char(12) PRIMARY KEY", "'c' || g", 3000),
    "timestamps": ("k timestamptz PRIMARY KEY", "timestamptz '2026-03-29 00:00+01' + g * interval '1.000001 second'", 4000),
    "numeric": ("k numeric PRIMARY KEY", "g / 7.0", 4000),
    "bytes": ("k bytea PRIMARY KEY", "decode(md5(g::text), 'hex')", 3000),
}


def _check(database: Database, rows: int) -> None:
    assert database.rows("SELECT min(counter), max(counter), count(*) FROM t") == [(1, 1, rows)]


@pytest.mark.parametrize("name", KEYS)
def test_a_counter_is_incremented_exactly_once_along(name: str, database: Database) -> None:
    column, value, rows = KEYS[name]
    if "citext" in column:
        database.execute("CREATE EXTENSION citext")
    database.execute(f"CREATE TABLE t ({column}, counter int NOT NULL DEFAULT 0)")
    database.execute(f"INSERT INTO t SELECT {value} FROM generate_series(1, {rows}) g ORDER BY random()".encode())
    said = backfill(database, {"table": "t", "set": "counter = counter + 1"})
    _check(database, rows)
    assert (said.result["rows_changed"], said.result["rows_scanned"]) == (rows, rows)
    assert said.of(BackfillPlanned)[0].strategy == "keyset"


def test_a_composite_key_of_text_and_uuid_is_walked_through_pauses(database: Database) -> None:
    database.execute(
        'CREATE TABLE t (a text COLLATE "C" NOT NULL, b uuid NOT NULL, counter int NOT NULL DEFAULT 0, PRIMARY KEY (a, b))'
    )
    database.execute(b"INSERT INTO t SELECT 'tenant-' || g % 7, md5(g::text)::uuid FROM generate_series(1, 20000) g")
    job = uuid4()
    for epoch in range(1, 5):
        running = run_backfill(
            order(database, {"table": "t", "set": "counter = counter + 1", "max_rate": 8000}, job=job, epoch=epoch)
        )
        until(running, Gauge, 2)
        running.close()
    said = backfill(database, {"table": "t", "set": "counter = counter + 1"}, job=job, epoch=9)
    _check(database, 20000)
    assert said.result["rows_changed"] == 20000


def test_an_enum_and_a_descending_index_can_be_walked(database: Database) -> None:
    database.execute("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')")
    database.execute("CREATE TABLE t (m mood NOT NULL, n int NOT NULL, counter int NOT NULL DEFAULT 0)")
    database.execute("CREATE UNIQUE INDEX t_key ON t (m DESC, n DESC)")
    database.execute("INSERT INTO t SELECT m, g FROM unnest(enum_range(NULL::mood)) m, generate_series(1, 1000) g")
    backfill(database, {"table": "t", "set": "counter = counter + 1"})
    _check(database, 3000)


def test_an_index_with_a_collation_of_its_own_is_walked_in_its_order(database: Database) -> None:
    database.execute("CREATE TABLE t (k text NOT NULL, counter int NOT NULL DEFAULT 0)")
    database.execute('CREATE UNIQUE INDEX t_key ON t (k COLLATE "C")')
    database.execute(b"INSERT INTO t SELECT CASE WHEN g % 2 = 0 THEN 'Z' ELSE 'a' END || g FROM generate_series(1, 4000) g")
    backfill(database, {"table": "t", "set": "counter = counter + 1"})
    _check(database, 4000)


def test_rows_with_null_in_the_only_unique_key_are_done_by_themselves(database: Database) -> None:
    database.execute("CREATE TABLE t (a int, b text, counter int NOT NULL DEFAULT 0, UNIQUE (a, b))")
    database.execute(b"INSERT INTO t SELECT NULLIF(g % 90, 7), NULLIF('b' || g, 'b99') FROM generate_series(1, 3000) g")
    job = uuid4()
    running = run_backfill(order(database, {"table": "t", "set": "counter = counter + 1", "max_rate": 2000}, job=job))
    until(running, Gauge, 2)
    running.close()
    said = backfill(database, {"table": "t", "set": "counter = counter + 1", "workers": 3}, job=job, epoch=2)
    _check(database, 3000)
    proof = said.result["certificate"]
    assert (said.result["rows_scanned"], proof["gap_free"], proof["disjoint"]) == (3000, True, True)
    assert proof["ranges"][0]["from"] == {"null_key": True}


def test_names_as_long_and_as_odd_as_postgresql_allows_are_walked(database: Database) -> None:
    table, key = 'We"ird. Täble ' + "x" * 47, "select " + "k" * 56
    quoted = sql.Identifier("Sales.Dept", table).as_string(None)
    column = sql.Identifier(key).as_string(None)
    with database.connect() as connection:
        connection.execute('CREATE SCHEMA "Sales.Dept"')
        connection.execute(f'CREATE TABLE {quoted} ({column} text COLLATE "C" NOT NULL, "Order" int NOT NULL DEFAULT 0)'.encode())
        connection.execute(f"CREATE UNIQUE INDEX ON {quoted} ({column} DESC)".encode())
        connection.execute(f"INSERT INTO {quoted} SELECT md5(g::text) FROM generate_series(1, 3000) g".encode())
    said = backfill(database, {"table": quoted, "set": '"Order" = "Order" + 1', "workers": 2})
    assert database.rows(f'SELECT min("Order"), max("Order"), count(*) FROM {quoted}') == [(1, 1, 3000)]
    assert said.result["certificate"]["ranges"][0]["relation"] == quoted


def test_the_key_can_be_named(database: Database) -> None:
    users(database, 2000)
    database.execute("ALTER TABLE users ADD CONSTRAINT users_email UNIQUE (email)")
    said = backfill(database, {**COUNT, "key": ["email"]})
    assert "users_email (email)" in said.of(BackfillPlanned)[0].reasons[0]
    assert database.value("SELECT sum(counter) FROM users") == 2000


def test_the_condition_is_kept_and_rows_outside_it_stay(database: Database) -> None:
    users(database, 5000)
    said = backfill(database, {"table": "users", "set": "counter = counter + 1", "where": "id % 10 = 3"})
    assert said.result["rows_changed"] == 500
    assert said.result["rows_scanned"] == 5000
    assert database.value(b"SELECT sum(counter) FROM users WHERE id % 10 = 3") == 500
    assert database.value("SELECT sum(counter) FROM users") == 500


def test_rows_that_come_behind_the_end_are_not_walked_for_ever(database: Database) -> None:
    users(database, 5000)
    running = run_backfill(order(database, {**COUNT, "max_rate": 10_000}))
    until(running, Gauge, 2)
    database.execute("INSERT INTO users (id, email) SELECT g, 'late' FROM generate_series(6000, 6500) g")
    for _ in running:
        pass
    assert database.rows("SELECT counter, count(*) FROM users GROUP BY 1 ORDER BY 1") == [(0, 501), (1, 5000)]


def test_several_workers_share_the_keys_without_gap_or_overlap(database: Database) -> None:
    users(database, 60_000)
    said = backfill(database, {**COUNT, "workers": 3})
    proof = said.result["certificate"]
    assert database.rows("SELECT min(counter), max(counter) FROM users") == [(1, 1)]
    assert len(proof["ranges"]) == 3
    assert proof["gap_free"]
    assert proof["disjoint"]
    assert said.result["rows_scanned"] == 60_000


def test_partitions_are_walked_by_their_own_keys(database: Database) -> None:
    database.execute("CREATE TABLE t (k int, counter int NOT NULL DEFAULT 0, PRIMARY KEY (k)) PARTITION BY HASH (k)")
    for part in range(3):
        database.execute(f"CREATE TABLE t{part} PARTITION OF t FOR VALUES WITH (MODULUS 3, REMAINDER {part})")
    database.execute("INSERT INTO t SELECT generate_series(1, 5000)")
    backfill(database, {"table": "t", "set": "counter = t.counter + 1"})
    _check(database, 5000)


def test_another_text_under_the_same_job_is_refused(database: Database) -> None:
    users(database, 2000)
    job = uuid4()
    running = run_backfill(order(database, {**COUNT, "max_rate": 2000}, job=job))
    until(running, Gauge, 1)
    running.close()
    with pytest.raises(Exception, match="begun with another"):
        backfill(database, {**COUNT, "set": "counter = counter + 2"}, job=job, epoch=2)


def test_a_finished_job_tells_its_figures_again_and_changes_nothing(database: Database) -> None:
    users(database, 2000)
    job = uuid4()
    first = backfill(database, COUNT, job=job)
    again = backfill(database, COUNT, job=job, epoch=2)
    assert again.result["rows_changed"] == first.result["rows_changed"] == 2000
    assert again.result["resumed"] is True
    assert database.value("SELECT sum(counter) FROM users") == 2000
