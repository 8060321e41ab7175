"""Is there a pooler in between that gives a session's transactions to whatever backend is free? Ledger and locks can't bear that.

A pooler announces a process id of its own making, so a server that is reached directly is not asked. In its session mode
PgBouncer keeps a backend for each client: that is used like the server itself.
"""

from collections.abc import Callable
from typing import Any

import psycopg

from app.target.errors import TargetUnreachableError

#: each finds a backend that is lent out again, unless another client comes between in this very moment
_TRIES = 3
_PID = "SELECT pg_catalog.pg_backend_pid()"


def refuse_shared_backends(
    connection: psycopg.Connection[Any], another: Callable[[], psycopg.Connection[Any]], *, where: str
) -> None:
    """Refuse a pooler whose clients share backends; ``connection`` is in autocommit, ``another`` opens one more like it.

    Raises TargetUnreachableError of kind pooler.
    """
    try:
        with another() as second:
            shares = any(_is_lent_out(connection, second) for _ in range(_TRIES))
    except psycopg.errors.ProtocolViolation:
        # PgBouncer in statement mode has no transactions
        shares = True
    if shares:
        raise TargetUnreachableError(
            f"There is a connection pooler between Headgate and {where} that gives each transaction another session.",
            kind="pooler",
            hint="Locks and limits belong to a session: give the server's own host and port, or a pool in session mode.",
        )


def _is_lent_out(first: psycopg.Connection[Any], second: psycopg.Connection[Any]) -> bool:
    """True where a backend of the first session serves the second meanwhile, or the first one's is another afterwards."""
    before = _pid(first)
    second.execute("BEGIN")
    try:
        return _pid(second) == before or _pid(first) != before
    finally:
        second.execute("ROLLBACK")


def _pid(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(_PID).fetchone()
    return int(row[0]) if row else 0
