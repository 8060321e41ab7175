"""What the sentinel sees on a real server, and what the walk does about it."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from app.backfill import signals
from app.backfill.counters import Counters
from app.backfill.definition import read_definition
from app.backfill.execute import run_backfill
from app.backfill.governor import Governor
from app.backfill.sentinel import Sentinel
from app.run.events import Gauge
from tests.doubles.databases import Database
from tests.doubles.waiting import until as wait_until
from tests.postgres.backfill.running import FILL, SCHEMA, order, until, users

TABLE = "SELECT 'users'::regclass::oid::bigint"


def _named(readings: list[signals.Reading], name: str) -> signals.Reading:
    return next(reading for reading in readings if reading.name == name)


def test_every_question_is_answered_on_every_supported_server(each_database: Database) -> None:
    users(each_database, 10)
    with each_database.connect() as connection:
        often = signals.read_often(connection, [1], 0.0)
        seldom = signals.read_seldom(connection, [1], [each_database.value(TABLE)])
    assert {reading.name for reading in often} == {"waiting for us", "active sessions", "WAL waiters"}
    assert _named(seldom, "oldest transaction").value >= 0
    assert all(reading.state == "ok" for reading in seldom)


def test_counters_show_wal_checkpoints_and_dead_rows(each_database: Database) -> None:
    users(each_database, 2000)
    each_database.execute("ALTER TABLE users SET (autovacuum_enabled = off)")
    with each_database.connect() as connection:
        counters = Counters([each_database.value(TABLE)])
        assert {reading.name for reading in counters.read(connection, 10.0)} == {"forced checkpoints", "dead rows"}
        connection.execute("UPDATE users SET counter = 1")
        connection.execute("CHECKPOINT")
        connection.execute("SELECT pg_stat_force_next_flush()")
        after = counters.read(connection, 11.0)
        # the checkpointer tells of its work in its own time
        assert wait_until(lambda: _named(counters.read(connection, 12.0), "forced checkpoints").value >= 1)
    assert _named(after, "WAL").value > 0
    assert _named(after, "dead rows").value > 1
    assert all(reading.load == 0 for reading in after)


def test_a_session_that_waits_for_ours_is_seen(database: Database) -> None:
    users(database, 10)
    with database.connect(autocommit=False) as ours, database.connect(autocommit=False) as victim, database.connect() as watcher:
        ours.execute("UPDATE users SET role = 'x' WHERE id = 1")
        thread = threading.Thread(target=lambda: victim.execute("UPDATE users SET role = 'y' WHERE id = 1"))
        thread.start()
        pid = ours.info.backend_pid
        seen = wait_until(
            lambda: next((r for r in signals.read_often(watcher, [pid], 0.0) if r.name == "waiting for us" and r.value), None)
        )
        ours.rollback()
        thread.join()
    assert seen.load == 1.5
    assert seen.note == "1 sessions"


def test_an_old_snapshot_is_named_and_ends_the_passes(database: Database) -> None:
    users(database, 10)
    with database.connect(autocommit=False) as holder, database.connect() as watcher:
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT 1 FROM users")
        found = _named(signals.read_seldom(watcher, [], []), "oldest transaction")
        assert found.value > 0
        assert found.only_shown
    sentinel = Sentinel(dsn=database.dsn, schema=SCHEMA, job=uuid4(), oids=[], purpose="test")
    sentinel.is_watching = True
    sentinel._seldom = [signals.Reading(name="oldest transaction", value=31.0, limit=30.0, unit="s", only_shown=True)]
    governor = Governor(read_definition(FILL), sentinel)
    assert governor.passes is None
    governor.look(1.0)
    assert governor.passes == 1
    assert governor.limiting is None


def test_a_prepared_transaction_that_was_forgotten_is_named(database: Database) -> None:
    users(database, 10)
    with database.connect(autocommit=False) as holder, database.connect() as watcher:
        holder.execute("UPDATE users SET role = 'x' WHERE id = 1")
        holder.execute("PREPARE TRANSACTION 'lost'")
        try:
            row = signals.ask(watcher, signals.OLDEST_HOLDER, {"ours": []})
        finally:
            watcher.execute("ROLLBACK PREPARED 'lost'")
    assert row is not None
    assert row["what"] == "prepared transaction lost"


def test_the_walk_stands_aside_for_ddl_that_waits_for_the_table(database: Database) -> None:
    users(database, 20_000)
    running = run_backfill(order(database, {**FILL, "max_rate": 4000}))
    until(running, Gauge, 2)
    with database.connect(autocommit=False) as reader, database.connect() as ddl:
        reader.execute("SELECT 1 FROM users LIMIT 1")
        thread = threading.Thread(target=lambda: ddl.execute("ALTER TABLE users ADD COLUMN later int"))
        thread.start()

        def waits(gauge: Gauge) -> bool:
            return gauge.phase == "waiting: DDL waits for the table"

        assert _gauge_where(running, waits)
        reader.rollback()
        thread.join()
    for _ in running:
        pass
    assert database.value("SELECT count(*) FROM users WHERE role = 'user'") == 20_000


def _gauge_where(running: Any, condition: Callable[[Gauge], bool]) -> Gauge:
    while True:
        told = next(running)
        if isinstance(told, Gauge) and condition(told):
            return told


def test_the_canary_has_a_calm_value_and_a_limit(database: Database) -> None:
    users(database, 100)
    job = uuid4()
    running = run_backfill(order(database, {**FILL, "max_rate": 100}, job=job))
    gauge = _gauge_where(running, lambda said: "commit latency" in said.signals)
    canary = gauge.signals["commit latency"]
    assert canary["limit"] >= 4
    assert canary["unit"] == "ms"
    running.close()


def test_a_role_that_may_not_look_gets_unknown_not_silence(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE ROLE blind_sentinel")
        try:
            connection.execute("SET ROLE blind_sentinel")
            readings = signals.read_seldom(connection, [], [])
        finally:
            connection.execute("RESET ROLE")
            connection.execute("DROP ROLE blind_sentinel")
    assert all(reading.state in {"ok", "unknown"} for reading in readings)


def test_a_sentinel_that_loses_its_session_comes_back(database: Database) -> None:
    users(database, 10)
    with database.connect() as admin:
        admin.execute(f"CREATE SCHEMA {SCHEMA}")
        admin.execute(f"CREATE TABLE {SCHEMA}.backfill (job uuid, canary bigint, speed jsonb)")
        sentinel = Sentinel(dsn=database.dsn, schema=SCHEMA, job=uuid4(), oids=[], purpose="lonely")
        sentinel.start()
        try:
            assert wait_until(lambda: sentinel.is_watching)
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'headgate lonely'"
            assert admin.execute(ended).rowcount == 1
            assert wait_until(lambda: not sentinel.is_watching)
            assert sentinel.readings()[0].state == "unknown"
            assert wait_until(lambda: sentinel.is_watching)
        finally:
            sentinel.stop()
