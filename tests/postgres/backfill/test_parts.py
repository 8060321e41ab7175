"""Partitions that come, go and are renamed while a backfill walks their table."""

from uuid import uuid4

import pytest

from app.backfill.execute import run_backfill
from app.backfill.parts import OtherBackfillError
from app.run.events import Gauge
from tests.doubles.databases import Database
from tests.postgres.backfill.running import COUNT, backfill, order, run_to_end, until, users

SEEN = {"table": "events", "set": "kind = 'seen'", "where": "kind IS NULL", "max_rate": 5000}
COUNTED = {"table": "events", "set": "n = n + 1", "max_rate": 5000}


@pytest.fixture
def events(database: Database) -> Database:
    database.execute("CREATE TABLE events (id int PRIMARY KEY, kind text, n int NOT NULL DEFAULT 0) PARTITION BY RANGE (id)")
    for part in range(3):
        database.execute(
            f"CREATE TABLE events_{part} PARTITION OF events FOR VALUES FROM ({part * 1000}) TO ({part * 1000 + 1000})"
        )
    database.execute("INSERT INTO events SELECT generate_series(0, 2999)")
    return database


def test_a_partition_that_comes_meanwhile_is_walked_too(events: Database) -> None:
    made: list[int] = []

    def attach(told: object) -> None:
        if isinstance(told, Gauge) and told.rows_done and not made:
            made.append(1)
            events.execute("CREATE TABLE events_9 PARTITION OF events FOR VALUES FROM (9000) TO (9900)")
            events.execute("INSERT INTO events SELECT generate_series(9000, 9499)")

    said = run_to_end(order(events, SEEN), after=attach)
    assert events.value("SELECT count(*) FROM events WHERE kind IS NULL") == 0
    assert said.result["rows_changed"] == 3500
    proof = said.result["certificate"]
    assert "public.events_9" in {part["relation"] for part in proof["ranges"]}
    assert (proof["remaining_rows"], proof["gap_free"], proof["not_walked"]) == (0, True, [])


@pytest.mark.parametrize("spec", [SEEN, COUNTED], ids=["windows", "keyset"])
def test_a_partition_that_is_dropped_meanwhile_does_not_stop_the_rest(spec: dict, events: Database) -> None:
    dropped: list[int] = []

    def drop(told: object) -> None:
        if isinstance(told, Gauge) and told.rows_done and not dropped:
            dropped.append(1)
            events.execute("DROP TABLE events_1")

    said = run_to_end(order(events, spec), after=drop)
    assert said.result["certificate"]["gone"] == ["public.events_1"]
    assert events.rows("SELECT count(*), count(*) FILTER (WHERE kind = 'seen' OR n = 1) FROM events") == [(2000, 2000)]


def test_a_partition_that_is_renamed_is_the_same_and_not_walked_twice(events: Database) -> None:
    job = uuid4()
    running = run_backfill(order(events, COUNTED, job=job))
    until(running, Gauge, 3)
    running.close()
    events.execute("ALTER TABLE events_0 RENAME TO archive_0")
    backfill(events, {**COUNTED, "max_rate": None}, job=job, epoch=2)
    assert events.rows("SELECT min(n), max(n), count(*) FROM events") == [(1, 1, 3000)]


def test_another_table_under_the_same_name_is_not_walked_as_if_it_were_the_first(database: Database) -> None:
    users(database, 2000)
    job = uuid4()
    running = run_backfill(order(database, {**COUNT, "max_rate": 2000}, job=job))
    until(running, Gauge, 1)
    running.close()
    database.execute("ALTER TABLE users RENAME TO former")
    users_of = "CREATE TABLE users (LIKE former INCLUDING DEFAULTS); INSERT INTO users SELECT * FROM former"
    database.execute(users_of)
    with pytest.raises(OtherBackfillError, match="another table than the one that this backfill began with"):
        backfill(database, COUNT, job=job, epoch=2)


def test_a_key_that_is_gone_stops_the_walk_with_the_way_back(database: Database) -> None:
    users(database, 2000)
    job = uuid4()
    running = run_backfill(order(database, {**COUNT, "max_rate": 2000}, job=job))
    until(running, Gauge, 1)
    running.close()
    database.execute("ALTER TABLE users DROP CONSTRAINT users_pkey")
    with pytest.raises(OtherBackfillError, match="walked along users_pkey, which can't be done any more: the index is gone"):
        backfill(database, COUNT, job=job, epoch=2)
    database.execute("ALTER TABLE users ADD PRIMARY KEY (id)")
    backfill(database, COUNT, job=job, epoch=3)
    assert database.rows("SELECT min(counter), max(counter) FROM users") == [(1, 1)]
