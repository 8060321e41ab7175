"""Reads pg_stat_statements in whatever version the target has; never resets it, since other monitors count on it too."""

from typing import Any

from psycopg import sql

from app.catalog.ask import Connection, ask, ask_one, columns_of, pick

#: what PostgreSQL shows in place of another role's statement
HIDDEN = "<insufficient privilege>"


def statements_schema(connection: Connection) -> str | None:
    """The schema that pg_stat_statements lives in, or None where it is not installed or its library is not loaded."""
    there = ask_one(connection, "statements_extension")
    return there["schema"] if there["max_entries"] is not None else None


def read_statements(connection: Connection, *, limit: int = 5000) -> list[dict[str, Any]] | None:
    """The statements of this database with their counters, the most expensive first; None where there is no pg_stat_statements.

    Entries of other roles carry HIDDEN as their text, and no ``query_id``, where the role may not read them.
    """
    schema = statements_schema(connection)
    if schema is None:
        return None
    view = sql.Identifier(schema, "pg_stat_statements")
    there = columns_of(connection, view.as_string(connection))
    variant: dict[str, sql.Composable] = {
        "view": view,
        "total_ms": pick(there, ["total_exec_time", "total_time"], alias="s", otherwise="0::float8"),
        "mean_ms": pick(there, ["mean_exec_time", "mean_time"], alias="s", otherwise="0::float8"),
        "max_ms": pick(there, ["max_exec_time", "max_time"], alias="s", otherwise="0::float8"),
        "stddev_ms": pick(there, ["stddev_exec_time", "stddev_time"], alias="s", otherwise="0::float8"),
        "temp_written": pick(there, ["temp_blks_written"], alias="s", otherwise="0::bigint"),
        "wal_bytes": pick(there, ["wal_bytes"], alias="s", otherwise="0"),
        "toplevel": pick(there, ["toplevel"], alias="s", otherwise="true"),
        "stats_since": pick(there, ["stats_since"], alias="s", otherwise="NULL::timestamptz"),
    }
    return ask(connection, "statements", {"limit": limit}, variant=variant)


def read_counted_since(connection: Connection) -> tuple[float, float | None]:
    """The server's clock, and since when pg_stat_statements counts, both in seconds of the epoch; None where nothing counts."""
    schema = statements_schema(connection)
    if schema is None or not columns_of(connection, f"{schema}.pg_stat_statements_info"):
        return 0.0, None
    variant: dict[str, sql.Composable] = {"info": sql.Identifier(schema, "pg_stat_statements_info")}
    row = ask_one(connection, "statements_counted_since", variant=variant)
    return row["now"], row["since"]
