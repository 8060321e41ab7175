"""A small shop to back up, and a place for its backups."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.backup.place import Place
from tests.doubles.databases import Database
from tests.doubles.object_storage import ObjectStorage, object_storage


@pytest.fixture
def shop(database: Database) -> Database:
    database.execute("""
        CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL);
        CREATE TABLE "Odd Name" (id int);
        CREATE TABLE events (at date NOT NULL) PARTITION BY RANGE (at);
        CREATE TABLE events_25 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        INSERT INTO users SELECT i, 'user' || i FROM generate_series(1, 1000) AS i;
        INSERT INTO "Odd Name" VALUES (1), (2);
        INSERT INTO events SELECT date '2025-01-01' + i FROM generate_series(1, 30) AS i;
    """)
    return database


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(directory=tmp_path / "backups")


@pytest.fixture(scope="session")
def storage_server() -> Iterator[ObjectStorage]:
    """A server of the S3 protocol, one per test process."""
    with object_storage() as server:
        yield server
