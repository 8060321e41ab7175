"""How the catalog is asked: named questions in ``queries/``, adapted to the columns that the server really has.

A name in braces in a question (``{newpage}``) is filled with SQL that this package wrote, never with a value from outside.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row, tuple_row

Connection = psycopg.Connection[Any]
_QUERIES = Path(__file__).parent / "queries"


@cache
def question(name: str) -> LiteralString:
    """The text of ``queries/<name>.sql``."""
    return (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")


def _composed(name: str, variant: Mapping[str, sql.Composable] | None) -> sql.SQL | sql.Composed:
    text = sql.SQL(question(name))
    return text.format(**variant) if variant else text


def ask(
    connection: Connection,
    name: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    variant: Mapping[str, sql.Composable] | None = None,
) -> list[dict[str, Any]]:
    """The rows that answer the question of that name, by column name."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_composed(name, variant), parameters).fetchall()


def ask_tuples(connection: Connection, name: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """The same as tuples, for questions with tens of thousands of rows."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(_composed(name, None), parameters).fetchall()


def ask_one(
    connection: Connection,
    name: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    variant: Mapping[str, sql.Composable] | None = None,
) -> dict[str, Any]:
    """The only row of an answer that always has one."""
    return ask(connection, name, parameters, variant=variant)[0]


def columns_of(connection: Connection, relation: str) -> frozenset[str]:
    """The columns that a catalog view has on this server; empty where there is no such view."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(
            "SELECT attname FROM pg_catalog.pg_attribute"
            " WHERE attrelid = pg_catalog.to_regclass(%(relation)s) AND attnum > 0 AND NOT attisdropped",
            {"relation": relation},
        ).fetchall()
    return frozenset(row[0] for row in rows)


def pick(
    there: frozenset[str], candidates: Sequence[LiteralString], *, alias: LiteralString, otherwise: LiteralString
) -> sql.Composable:
    """The first of the candidate columns that the server has, or ``otherwise`` (SQL such as ``NULL::bigint``)."""
    for column in candidates:
        if column in there:
            return sql.SQL(".").join([sql.SQL(alias), sql.Identifier(column)])
    return sql.SQL(otherwise)


@contextmanager
def one_snapshot(connection: Connection, *, lock_timeout_ms: int = 2000, statement_timeout_ms: int = 30_000) -> Iterator[None]:
    """Several questions answered from one moment, and no setting of it stays.

    Nested loops are off: without statistics of the catalog (a fresh database) they took 16 s over 2,000 tables instead of 0.2 s.
    Inside a transaction of the caller a savepoint is used, and the snapshot is the caller's.
    """
    is_ours = connection.info.transaction_status == TransactionStatus.IDLE
    with connection.transaction(force_rollback=True):
        if is_ours:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute(
            "SELECT pg_catalog.set_config('lock_timeout', %(lock)s, true),"
            " pg_catalog.set_config('statement_timeout', %(statement)s, true),"
            " pg_catalog.set_config('enable_nestloop', 'off', true), pg_catalog.set_config('jit', 'off', true)",
            {"lock": f"{lock_timeout_ms}ms", "statement": f"{statement_timeout_ms}ms"},
        )
        yield
