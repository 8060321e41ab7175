"""Who waits for whom, as the server really says it."""

import psycopg
import pytest

from app.catalog.activity import (
    ProgressBar,
    as_observer,
    block_tree,
    read_autovacuum,
    read_block_edges,
    read_progress,
    read_queue,
    read_replicas,
    read_sessions,
    read_slots,
    read_vitals,
)
from tests.doubles.databases import Database
from tests.postgres.catalog.waiting import running, until


@pytest.fixture
def observer(each_database: Database):
    each_database.execute(
        "CREATE TABLE orders (id int PRIMARY KEY, total int); INSERT INTO orders SELECT g, g FROM generate_series(1, 100) g"
    )
    with each_database.connect() as connection:
        yield as_observer(connection)


def test_a_waiting_alter_blocks_readers_that_do_not_conflict_with_what_it_waits_for(each_database, observer):
    with each_database.connect(autocommit=False) as report:
        report.execute("SELECT * FROM orders")
        reporter = report.info.backend_pid
        with running(each_database, "ALTER TABLE orders ADD COLUMN note text", application="headgate run 1") as ours:
            until(lambda: read_queue(observer, ours).is_waiting)
            with running(each_database, "SELECT * FROM orders", application="web") as reader:
                until(lambda: read_queue(observer, ours).victims == 1)
                edges = {(edge.waiter_pid, edge.blocker_pid): edge for edge in read_block_edges(observer)}
                tree = block_tree(edges.values(), ours)
                queue = read_queue(observer, ours)
    assert set(edges) == {(ours, reporter), (reader, ours)}
    hard, soft = edges[ours, reporter], edges[reader, ours]
    assert (hard.relation, hard.wanted_mode, hard.queued_only) == ("public.orders", "AccessExclusiveLock", False)
    assert hard.blocker.state == "idle in transaction"
    assert hard.blocker.locks == {"public.orders": ("AccessShareLock",)}
    assert (soft.queued_only, soft.waiter_application, soft.blocker.application) == (True, "web", "headgate run 1")
    assert soft.wait_seconds >= 0
    assert tree.victims == {reader: 1}
    assert tree.blockers == {reporter: 1}
    assert tree.roots == (reporter,)
    assert queue.worst_wait_seconds <= queue.waited_seconds
    assert 0 <= queue.queue_seconds < 20


def test_nobody_waits_in_a_quiet_database(observer):
    assert read_block_edges(observer) == []
    queue = read_queue(observer, observer.info.backend_pid)
    assert (queue.is_waiting, queue.victims, queue.queue_seconds) == (False, 0, 0)


def test_a_prepared_transaction_is_named_as_the_blocker(each_database, observer):
    with each_database.connect() as connection:
        connection.execute("BEGIN; UPDATE orders SET total = 0 WHERE id = 1; PREPARE TRANSACTION 'left behind'")
    try:
        with running(each_database, "ALTER TABLE orders ADD COLUMN note text") as ours:
            until(lambda: read_queue(observer, ours).is_waiting)
            (edge,) = read_block_edges(observer)
    finally:
        each_database.execute("ROLLBACK PREPARED 'left behind'")
    assert edge.blocker_pid == 0
    assert edge.blocker.application == "prepared transaction left behind"
    assert edge.blocker.locks == {"public.orders": ("RowExclusiveLock",)}


def test_sessions_are_those_that_touch_the_plans_tables_or_are_old(each_database, observer):
    with each_database.connect(autocommit=False) as writer, each_database.connect(autocommit=False) as other:
        writer.execute("UPDATE orders SET total = 1 WHERE id = 1")
        other.execute("SELECT 1")
        (session,) = read_sessions(observer, ["public.orders"], older_than_seconds=3600)
        both = read_sessions(observer, ["public.orders"], older_than_seconds=0)
        pids = (writer.info.backend_pid, other.info.backend_pid)
    assert session.pid == pids[0]
    assert session.locks == {"public.orders": ("RowExclusiveLock",)}
    assert session.transaction_seconds >= 0
    assert {found.pid for found in both} >= set(pids)


def test_vitals_count_sessions_and_name_the_wal_position(each_database, observer):
    with each_database.connect(autocommit=False) as idle:
        idle.execute("SELECT 1")
        vitals = read_vitals(observer, with_size=True)
    assert vitals.idle_in_transaction >= 1
    assert vitals.connections >= 1
    assert vitals.connections_usable > vitals.connections
    assert vitals.oldest_transaction_seconds >= 0
    assert vitals.wal_position > 0
    assert vitals.database_bytes > 1_000_000
    assert (vitals.hidden_by_privilege, vitals.replica_lag_bytes, vitals.extra["replicas"]) == (0, None, 0)


def test_a_role_that_may_not_see_sessions_is_told_unknown_and_never_zero(each_database, observer):
    each_database.execute("DROP ROLE IF EXISTS blind_one; CREATE ROLE blind_one LOGIN PASSWORD 'x'")
    with psycopg.connect(each_database.dsn_for("blind_one", "x"), autocommit=True) as connection:
        vitals = read_vitals(as_observer(connection))
    assert vitals.hidden_by_privilege > 0
    assert (vitals.connections, vitals.active, vitals.oldest_transaction_seconds) == (None, None, None)


def test_an_observer_must_be_in_autocommit_mode(each_database):
    with each_database.connect(autocommit=False) as connection, pytest.raises(ValueError, match="autocommit"):
        as_observer(connection)


def test_an_observer_answers_while_the_table_is_locked_by_our_own_ddl(each_database, observer):
    with each_database.connect(autocommit=False) as ours:
        ours.execute("ALTER TABLE orders ADD COLUMN note text")
        sessions = read_sessions(observer, ["public.orders"])
        assert read_vitals(observer, with_size=True).database_bytes > 0
    assert sessions[0].locks == {"public.orders": ("AccessExclusiveLock",)}


def test_a_concurrent_index_build_that_waits_says_for_whom(each_database, observer):
    with each_database.connect(autocommit=False) as writer:
        writer.execute("UPDATE orders SET total = 1 WHERE id = 1")
        writing = writer.info.backend_pid
        with running(each_database, "CREATE INDEX CONCURRENTLY orders_total ON orders (total)") as ours:
            bar = ProgressBar()
            until(lambda: (found := read_progress(observer, ours, bar)) is not None and found.waits_for_pid)
            progress = read_progress(observer, ours, bar)
    assert progress.source == "pg_stat_progress_create_index"
    assert progress.is_waiting
    assert progress.waits_for_pid == writing
    assert progress.doing == f"waiting for writers before build: 0 of 1 done, now session {writing}"
    assert progress.relation == "public.orders"


def test_a_statement_that_postgres_does_not_count_has_no_progress(each_database, observer):
    with running(each_database, "SELECT pg_sleep(60)") as ours:
        assert read_progress(observer, ours) is None


def test_the_bar_of_a_real_index_build_never_goes_back(each_database, observer):
    each_database.execute("CREATE TABLE big AS SELECT g AS id, md5(g::text) AS text FROM generate_series(1, 300000) g")
    bar, seen = ProgressBar(), []
    with running(each_database, "CREATE INDEX ON big (text, id)") as ours:
        until(lambda: observer.execute("SELECT 1 FROM pg_stat_progress_create_index WHERE pid = %s", [ours]).fetchone())
        while (progress := read_progress(observer, ours, bar)) is not None:
            seen.append(progress.fraction)
    known = [fraction for fraction in seen if fraction is not None]
    assert known
    assert known == sorted(known)
    assert max(known) <= 0.99


def test_questions_about_standbys_and_autovacuum_are_answered_where_there_are_none(each_database, observer):
    assert read_replicas(observer) == ()
    observer.execute("SELECT pg_create_physical_replication_slot('kept_' || %s, true)", [each_database.name])
    try:
        slots = {slot.name: slot for slot in read_slots(observer)}
    finally:
        observer.execute("SELECT pg_drop_replication_slot('kept_' || %s)", [each_database.name])
    assert slots[f"kept_{each_database.name}"].type == "physical"
    assert all(worker.pid for worker in read_autovacuum(observer))
