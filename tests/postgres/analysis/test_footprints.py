"""The locks, rewrites and scans that the analysis claims are what a real PostgreSQL 18 does, statement by statement."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.analysis.analyse import analyse_script
from app.catalog.records import Schema
from app.catalog.schema import read_schema
from app.embedded.postgres import EmbeddedPostgres
from app.sql.split import split
from tests.doubles.databases import Database, fresh_database
from tests.postgres.analysis.tracing import trace

HERE = Path(__file__).parent
CASES = [line for line in (HERE / "cases.sql").read_text().splitlines() if line and not line.startswith("--")]
#: the planner chooses how a foreign key or a join is checked; on tables as small as these it reads the other side too
BY_PLAN = ("REFERENCES", "MERGE", "TRUNCATE", "user_id TYPE int", "WHERE id < 100")


@pytest.fixture(scope="module")
def shop(postgres_server: EmbeddedPostgres) -> Iterator[Database]:
    """A database with the shop of schema.sql; every measured statement is undone."""
    with fresh_database(postgres_server) as made:
        made.execute((HERE / "schema.sql").read_text())
        yield made


@pytest.fixture(scope="module")
def schema(shop: Database) -> Schema:
    """Its catalog, read as for any target."""
    with shop.connect() as connection:
        return read_schema(connection)


@pytest.mark.parametrize("case", CASES)
def test_a_statement_does_what_the_analysis_says(case: str, shop: Database, schema: Schema) -> None:
    statements = [statement.text for statement in split(case)]
    if len(statements) > 1:
        with fresh_database(shop.server, template=shop.name, prefix="c") as scratch:
            seen = trace(scratch.dsn, statements)
    else:
        seen = trace(shop.dsn, statements)
    claimed = analyse_script(case, schema=schema, assume_large=True).statements[-1]
    assert seen.error is None
    assert {lock.relation: lock.mode for lock in claimed.locks} == seen.locks
    assert set(claimed.rewrites) == seen.rewrites
    if any(words in case for words in BY_PLAN):
        assert set(claimed.scans) <= seen.scans | seen.rewrites
    else:
        assert set(claimed.scans) == seen.scans
