"""Page windows on a real server: they finish, recycle space, sweep, and prove their end."""

from uuid import uuid4

from psycopg import sql

from app.backfill.execute import run_backfill
from app.run.events import BackfillFinished, BackfillPlanned, BatchCommitted, Gauge
from tests.doubles.databases import Database
from tests.postgres.backfill.running import FILL, backfill, checkpoints, order, run_to_end, until, users

ROWS = 30_000


def test_every_row_that_matches_is_changed_and_the_end_is_proven(database: Database) -> None:
    users(database, ROWS)
    database.execute("UPDATE users SET role = 'admin' WHERE id <= 100")

    said = backfill(database, FILL)

    assert database.rows("SELECT role, count(*) FROM users GROUP BY role ORDER BY role") == [("admin", 100), ("user", ROWS - 100)]
    assert said.result["rows_changed"] == ROWS - 100
    assert said.result["rows_scanned"] == ROWS
    proof = said.result["certificate"]
    assert (proof["remaining_rows"], proof["gap_free"], proof["disjoint"]) == (0, True, True)
    assert said.of(BackfillPlanned)[0].strategy == "windows"
    assert said.of(BackfillFinished)[0].resumed is False
    assert sum(event.rows_changed for event in said.of(BatchCommitted)) == ROWS - 100


def test_it_works_the_same_on_an_older_server(database_17: Database) -> None:
    users(database_17, 5000)
    assert backfill(database_17, FILL).result["rows_changed"] == 5000
    assert backfill(database_17, {"table": "users", "set": "counter = counter + 1"}).result["rows_changed"] == 5000
    assert database_17.value("SELECT count(*) FROM users WHERE role = 'user' AND counter = 1") == 5000


def test_interleaved_passes_reuse_the_space_of_old_versions(database: Database) -> None:
    users(database, ROWS)
    before = database.value("SELECT pg_relation_size('users')")
    backfill(database, FILL)
    after = database.value("SELECT pg_relation_size('users')")
    # one UPDATE would double it
    assert after < 1.45 * before


def test_one_pass_is_chosen_where_an_index_holds_the_column(database: Database) -> None:
    users(database, 2000)
    database.execute("CREATE INDEX users_role ON users (role)")
    planned = backfill(database, FILL).of(BackfillPlanned)[0]
    assert planned.passes == 1
    assert any("users_role" in reason for reason in planned.reasons)


def test_a_partial_index_over_the_column_counts_too(database: Database) -> None:
    users(database, 2000)
    database.execute("CREATE INDEX users_open ON users (id) WHERE role IS NULL")
    assert backfill(database, FILL).of(BackfillPlanned)[0].passes == 1


def test_rows_that_move_behind_the_walk_are_caught_by_the_sweep(database: Database) -> None:
    users(database, ROWS)
    moved: list[int] = []

    def disturb(told: object) -> None:
        # what an application without the new code does: it writes rows of both ends anew, still without a role
        if isinstance(told, Gauge) and len(moved) < 3:
            moved.append(1)
            database.execute("UPDATE users SET filler = repeat('y', 60 + id::int % 7) WHERE id % 50 = 0 AND role IS NULL")
            database.execute("INSERT INTO users (id, email) SELECT max(id) + 1, 'late' FROM users")

    said = run_to_end(order(database, {**FILL, "max_rate": 60_000}), after=disturb)

    assert moved
    assert database.value("SELECT count(*) FROM users WHERE role IS NULL") == 0
    assert said.result["rows_changed"] == ROWS + len(moved)
    assert said.result["certificate"]["remaining_rows"] == 0


def test_a_paused_walk_stands_still_and_goes_on_from_its_checkpoint(database: Database) -> None:
    users(database, ROWS)
    job = uuid4()
    running = run_backfill(order(database, {**FILL, "max_rate": 20_000}, job=job))
    until(running, Gauge, 3)
    running.close()
    changed = database.value("SELECT count(*) FROM users WHERE role = 'user'")
    assert 0 < changed < ROWS
    assert (
        database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'headgate%%' AND datname = current_database() AND pid <> pg_backend_pid()",
            (),
        )
        == 0
    )

    said = backfill(database, FILL, job=job, epoch=2)

    assert said.result["resumed"] is True
    assert said.result["rows_changed"] == ROWS
    assert database.value("SELECT count(*) FROM users WHERE role = 'user'") == ROWS
    assert not said.of(BackfillPlanned)


def test_a_walk_can_be_paused_on_the_target_itself(database: Database) -> None:
    users(database, ROWS)
    job = uuid4()
    running = run_backfill(order(database, {**FILL, "max_rate": 20_000}, job=job))
    until(running, Gauge, 2)
    points, connection = checkpoints(database, job)
    with connection:
        assert points.change_state("paused") == 1
        changed = database.value("SELECT count(*) FROM users WHERE role = 'user'")
        told = until(running, Gauge, 3)
        assert "paused" in told.phase
        assert database.value("SELECT count(*) FROM users WHERE role = 'user'") == changed
        points.change_state("running")
    for _ in running:
        pass
    assert database.value("SELECT count(*) FROM users WHERE role = 'user'") == ROWS


def test_the_speed_can_be_changed_under_way(database: Database) -> None:
    users(database, ROWS)
    job = uuid4()
    running = run_backfill(order(database, {**FILL, "max_rate": 500}, job=job))
    first = until(running, Gauge, 4)
    assert first.rows_done < 2000
    points, connection = checkpoints(database, job)
    with connection:
        points.change_speed({"max_rate": 0, "profile": "fast"})
    for _ in running:
        pass
    assert database.value("SELECT count(*) FROM users WHERE role = 'user'") == ROWS


def test_a_rewritten_table_is_walked_again(database: Database) -> None:
    users(database, ROWS)
    database.execute("DELETE FROM users WHERE id <= 15000")
    job = uuid4()
    running = run_backfill(order(database, {**FILL, "max_rate": 20_000}, job=job))
    until(running, Gauge, 3)
    database.execute("VACUUM FULL users")
    for _ in running:
        pass
    assert database.value("SELECT count(*) FROM users WHERE role IS NULL") == 0


def test_a_table_with_holes_of_99_percent_is_walked_whole(database: Database) -> None:
    users(database, ROWS)
    database.execute("DELETE FROM users WHERE id % 100 <> 0")
    assert backfill(database, FILL).result["rows_changed"] == ROWS // 100


def test_an_empty_table_is_done_at_once(database: Database) -> None:
    users(database, 0)
    assert backfill(database, FILL).result["rows_changed"] == 0
    assert backfill(database, {"table": "users", "set": "counter = counter + 1"}).result["rows_changed"] == 0


def test_partitions_and_children_are_walked_leaf_by_leaf(database: Database) -> None:
    database.execute("CREATE TABLE events (id bigint, at date NOT NULL, kind text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)")
    database.execute("CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')")
    database.execute("CREATE TABLE events_new PARTITION OF events DEFAULT")
    database.execute("INSERT INTO events SELECT g, date '2020-12-01' + (g %% 60)::int FROM generate_series(1, 5000) g", ())
    database.execute("CREATE TABLE base (id int PRIMARY KEY, kind text)")
    database.execute("CREATE TABLE child (PRIMARY KEY (id)) INHERITS (base)")
    database.execute("INSERT INTO base SELECT g FROM generate_series(1, 500) g")
    database.execute("INSERT INTO child SELECT g FROM generate_series(1, 700) g")

    said = backfill(database, {"table": "events", "set": "kind = 'seen'", "where": "events.kind IS NULL"})
    assert said.result["rows_changed"] == 5000
    assert {part["relation"] for part in said.result["certificate"]["ranges"]} == {"public.events_old", "public.events_new"}
    assert backfill(database, {"table": "base", "set": "kind = 'seen'", "where": "kind IS NULL"}).result["rows_changed"] == 1200


def test_two_workers_share_the_pages(database: Database) -> None:
    users(database, ROWS * 2)
    said = backfill(database, {**FILL, "workers": 2})
    assert said.result["rows_changed"] == ROWS * 2
    assert len(said.result["certificate"]["ranges"]) == 2
    assert database.value("SELECT count(*) FROM users WHERE role = 'user'") == ROWS * 2


def test_percent_signs_braces_and_comments_in_expressions_mean_themselves(database: Database) -> None:
    users(database, 500)
    spec = {
        "table": "users",
        "set": "role = '100% {sure} %(x)s' -- as agreed",
        "where": "role IS NULL /* all */ AND email LIKE 'u%' -- yes",
    }
    assert backfill(database, spec).result["rows_changed"] == 500
    assert database.value("SELECT DISTINCT role FROM users") == "100% {sure} %(x)s"


def test_names_that_need_quotes_are_found(database: Database) -> None:
    with database.connect() as connection:
        connection.execute('CREATE SCHEMA "Sales"')
        connection.execute('CREATE TABLE "Sales"."Order Lines" ("Id" int PRIMARY KEY, "State" text)')
        connection.execute(sql.SQL('INSERT INTO "Sales"."Order Lines" SELECT generate_series(1, 300)'))
    said = backfill(database, {"table": '"Sales"."Order Lines"', "set": "\"State\" = 'open'", "where": '"State" IS NULL'})
    assert said.result["rows_changed"] == 300
