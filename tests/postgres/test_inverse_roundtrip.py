"""Every derived rollback is run: the schema dump before must equal the one after forward and back. Wrong inverses: none."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.catalog.schema import read_schema
from app.embedded.postgres import client_programs
from app.plan.model import Rollback
from app.sql.inverse import Deriver
from app.sql.split import split
from tests.doubles.databases import Database, fresh_database
from tests.postgres.inverse.statements import CASES

SHOP = Path(__file__).parent / "inverse" / "shop.sql"
WORDS = {
    "lossless": "lossless",
    "reordered": "lossless",
    "loses-new-writes": "loses-new-writes",
    "lossy": "irreversible",
    "none": "lossless",
    "harmless": "lossless",
    "manual": "irreversible",
}


class Shop:
    """A database with the sample schema, made again only after something was left in it."""

    def __init__(self, server) -> None:
        self._server = server
        self._open = None
        self.before = ""

    def database(self) -> Database:
        if self._open is None:
            with psycopg.connect(self._server.dsn(), autocommit=True) as connection:
                for role in ("rt_reader", "rt_owner"):
                    connection.execute(f"DROP ROLE IF EXISTS {role}")
            self._open = fresh_database(self._server)
            self._database = self._open.__enter__()
            self._database.execute(SHOP.read_text())
            self.before = self.dump()
        return self._database

    def spoil(self) -> None:
        if self._open is not None:
            self._open.__exit__(None, None, None)
            self._open = None

    def dump(self) -> str:
        done = subprocess.run(
            [client_programs() / "pg_dump", "--schema-only", "--dbname", self._database.dsn],
            capture_output=True,
            text=True,
            check=True,
        )
        return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


@pytest.fixture(scope="module")
def shop(postgres_server) -> Iterator[Shop]:
    made = Shop(postgres_server)
    yield made
    made.spoil()


def without_order(dump: str) -> list[str]:
    """The dump with the columns of each table, and its statements, sorted."""
    # statistics list their columns in the order of the table
    dump = re.sub(
        r"(?m)^(CREATE STATISTICS \S+) ON (.*) FROM", lambda match: f"{match[1]} ON {sorted(match[2].split(', '))}", dump
    )
    statements = re.split(r"\n(?=--\n-- Name: )", dump)
    return sorted("\n".join(sorted(line.strip().rstrip(",") for line in statement.splitlines())) for statement in statements)


def run(database: Database, script: str) -> None:
    with database.connect() as connection:
        for statement in split(script):
            connection.execute(statement.text)


@pytest.mark.parametrize(("statement", "expected"), CASES, ids=[re.sub(r"\s+", " ", case[0])[:90] for case in CASES])
def test_forward_and_back_leaves_the_schema_as_it_was(shop: Shop, statement: str, expected: str) -> None:
    database = shop.database()
    with database.connect() as connection:
        schema = read_schema(connection)
    rollback: Rollback = Deriver(schema).rollback(split(statement))
    try:
        if expected == "error":
            with pytest.raises(psycopg.Error):
                run(database, statement)
            return
        assert rollback.grade == WORDS[expected], rollback
        assert (rollback.sql is None) == (expected in {"manual", "none", "harmless"}), rollback
        if expected == "manual":
            assert rollback.reason
            return
        run(database, statement)
        run(database, rollback.sql or "")
        after = shop.dump()
        if expected == "harmless":
            assert after != shop.before, "the case says that something stays"
            shop.spoil()
        elif expected in {"lossy", "reordered"}:
            assert without_order(after) == without_order(shop.before), rollback.sql
            if after != shop.before:
                shop.spoil()
        else:
            assert after == shop.before, rollback.sql
    except BaseException:
        shop.spoil()
        raise
