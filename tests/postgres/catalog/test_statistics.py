"""Sizes, rows and statements as the server counts them."""

import dataclasses

import psycopg
import pytest

from app.catalog.encoding import statistics_from_json, statistics_to_json
from app.catalog.statistics import read_statistics, with_rates
from tests.doubles.databases import Database


@pytest.fixture
def busy(each_database: Database) -> Database:
    each_database.execute("""
        CREATE TABLE users (id int PRIMARY KEY, name text);
        INSERT INTO users SELECT g, 'user ' || g FROM generate_series(1, 5000) g;
        CREATE TABLE events (id int, day date) PARTITION BY RANGE (day);
        CREATE TABLE events_2020 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
        CREATE TABLE events_2021 PARTITION OF events FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
        INSERT INTO events SELECT g, '2020-06-01'::date FROM generate_series(1, 3000) g;
        INSERT INTO events SELECT g, '2021-06-01'::date FROM generate_series(1, 1000) g;
        CREATE TABLE untouched (id int)""")
    each_database.execute("ANALYZE users; ANALYZE events_2020; ANALYZE events_2021")
    with each_database.connect() as connection:
        for number in range(5):
            connection.execute("SELECT name FROM users WHERE id = %s", [number])
        connection.execute("SELECT pg_stat_force_next_flush()")
    return each_database


def read(database: Database):
    with database.connect() as connection:
        return read_statistics(connection)


def test_tables_have_rows_and_sizes(busy):
    users = read(busy).relations["public.users"]
    assert users.estimated_rows == 5000
    assert users.table_bytes == busy.value("SELECT pg_table_size('users')")
    assert users.indexes_bytes == busy.value("SELECT pg_indexes_size('users')")
    assert users.total_bytes == users.table_bytes + users.indexes_bytes
    assert users.rows_inserted == 5000


def test_a_table_that_was_never_analyzed_has_no_estimate(busy):
    assert read(busy).relations["public.untouched"].estimated_rows is None


def test_a_partitioned_table_is_as_big_as_its_partitions(busy):
    relations = read(busy).relations
    assert relations["public.events"].estimated_rows == 4000
    parts = [relations[name].table_bytes for name in ("public.events_2020", "public.events_2021")]
    assert relations["public.events"].table_bytes == sum(parts)


def test_statements_carry_their_counters(busy):
    found = read(busy)
    (statement,) = [query for query in found.queries if query.query.startswith("SELECT name FROM users")]
    assert (statement.calls, statement.rows) == (5, 4)
    assert statement.total_ms > 0
    assert statement.mean_ms == pytest.approx(statement.total_ms / 5)
    assert found.has_statements
    assert found.database_bytes > 1_000_000


def test_without_the_extension_there_are_no_statements(each_database):
    each_database.execute("DROP EXTENSION pg_stat_statements")
    found = read(each_database)
    assert (found.has_statements, found.queries) == (False, ())


def test_statements_of_other_roles_are_left_out_where_they_are_hidden(busy):
    busy.execute("DROP ROLE IF EXISTS plain_one; CREATE ROLE plain_one LOGIN PASSWORD 'x'")
    with psycopg.connect(busy.dsn_for("plain_one", "x"), autocommit=True) as connection:
        found = read_statistics(connection)
    assert not any("privilege" in query.query for query in found.queries)
    assert not any(query.query.startswith("SELECT name FROM users") for query in found.queries)


def test_a_table_that_is_being_altered_is_not_waited_for(busy):
    with busy.connect(autocommit=False) as other:
        other.execute("ALTER TABLE users ADD COLUMN note text")
        users = read(busy).relations["public.users"]
    assert users.table_bytes > 0


def test_rates_come_from_two_looks_and_are_unknown_after_a_reset(busy):
    later = read(busy)
    users = later.relations["public.users"]
    earlier = dataclasses.replace(users, index_scans=users.index_scans - 5, rows_updated=users.rows_updated - 10)
    before = dataclasses.replace(later, relations={"public.users": earlier})
    rated = with_rates(before, later, 10).relations["public.users"]
    assert (rated.reads_per_second, rated.writes_per_second) == (0.5, 1.0)
    assert with_rates(later, before, 10).relations["public.users"].reads_per_second is None


def test_statistics_survive_their_way_through_json(busy):
    found = read(busy)
    assert statistics_from_json(statistics_to_json(found)) == found
