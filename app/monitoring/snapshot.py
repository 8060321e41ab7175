"""Reads pg_stat_* once: the statements that touch a plan's tables, a control group that does not, tables, indexes, database."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from app.catalog.ask import ask, ask_one
from app.catalog.statements import HIDDEN, read_statements, statements_schema
from app.catalog.vitals import read_vitals
from app.monitoring.figures import Epoch, IndexFigures, Snapshot, StatementFigures, TableFigures
from app.sql.identity import identify, is_about_data, is_our_own, touches

#: Statements of the control group that are kept: those with most calls.
CONTROL = 300
_SHOWN = 2000
_TIMES = ("server_started", "background_reset", "wal_reset", "database_reset")

_VITALS = (
    "connections",
    "connections_usable",
    "active",
    "lock_waiters",
    "idle_in_transaction",
    "oldest_transaction_seconds",
    "database_bytes",
)


def take_snapshot(connection: psycopg.Connection[Any], relations: Sequence[str]) -> Snapshot:
    """One look at the figures around these relations (qualified); resets nothing, waits for no lock.

    Costs about 0.1 s with 5,000 statements once their texts were parsed; the first look in a process takes about a second.
    """
    names = sorted(set(relations))
    epoch = ask_one(connection, "epoch")
    views = [row["name"] for row in ask(connection, "dependent_views", {"relations": names})]
    rows = read_statements(connection, limit=20_000)
    statements, calls, spent = _statements(_of_the_application(connection, rows or ()), [*names, *views])
    vitals = read_vitals(connection, with_size=True)
    database = {**_plain(vitals.extra), **{name: getattr(vitals, name) for name in _VITALS}, "hidden": vitals.hidden_by_privilege}
    return Snapshot(
        taken_at=epoch["taken_at"].isoformat(),
        version_num=epoch["version_num"],
        epoch=_epoch(connection, epoch),
        relations=tuple(names),
        views=tuple(views),
        statements=statements,
        tables={row["name"]: TableFigures(**_plain(row)) for row in ask(connection, "table_figures", {"relations": names})},
        indexes={row["name"]: IndexFigures(**_plain(row)) for row in ask(connection, "index_figures", {"relations": names})},
        database={
            **_plain(vitals.extra),
            **database,
            "database_bytes": vitals.database_bytes,
            "hidden": vitals.hidden_by_privilege,
        },
        has_statements=rows is not None,
        hidden_statements=sum(row["query_id"] is None or row["query"] == HIDDEN for row in rows or ()),
        total_calls=calls,
        total_ms=round(spent, 3),
    )


def _epoch(connection: psycopg.Connection[Any], row: dict[str, Any]) -> Epoch:
    times: dict[str, Any] = {name: None if row[name] is None else row[name].isoformat() for name in _TIMES}
    known: dict[str, Any] = {name: row[name] for name in ("system_identifier", "timeline", "database_oid")}
    schema = statements_schema(connection)
    if schema is None:
        return Epoch(**times, **known)
    variant = {
        "view": sql.Identifier(schema, "pg_stat_statements"),
        "info": sql.Identifier(schema, "pg_stat_statements_info"),
    }
    of_statements = ask_one(connection, "statements_epoch", variant=variant)
    reset = of_statements.pop("stats_reset")
    return Epoch(**times, **known, statements_reset=None if reset is None else reset.isoformat(), **of_statements)


def _of_the_application(connection: psycopg.Connection[Any], rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what our own role ran (checks, dumps, samples), where nobody but Headgate uses that role."""
    own = ask_one(connection, "own_role")
    return [row for row in rows if own["is_shared"] or row["user_oid"] != own["oid"]]


def _statements(rows: Iterable[dict[str, Any]], relations: Sequence[str]) -> tuple[tuple[StatementFigures, ...], int, float]:
    """Those that touch the relations and the control group; calls and time of all statements about data."""
    touched: dict[str, StatementFigures] = {}
    control: dict[str, StatementFigures] = {}
    calls, spent = 0, 0.0
    wanted = frozenset(relations)
    for row in rows:
        if row["query_id"] is None or row["query"] == HIDDEN:
            continue
        identity = identify(row["query"])
        if not is_about_data(identity) or is_our_own(row["query"], identity):
            continue
        calls, spent = calls + row["calls"], spent + row["total_ms"]
        is_touched = touches(identity, wanted)
        group = touched if is_touched else control
        found = _figures(row, identity.key, is_touched=is_touched, is_parsed=identity.is_parsed)
        group[found.key] = _together(group[found.key], found) if found.key in group else found
    kept = sorted(control.values(), key=lambda found: found.calls, reverse=True)[:CONTROL]
    return (*touched.values(), *kept), calls, spent


def _figures(row: dict[str, Any], key: str, *, is_touched: bool, is_parsed: bool) -> StatementFigures:
    # a nested call and a call of another role are other statements: what they cost depends on who runs them
    scope = f"{row['user_oid']}:{'top' if row['toplevel'] else 'nested'}"
    return StatementFigures(
        key=f"{scope}:{key}",
        query=row["query"][:_SHOWN],
        calls=row["calls"],
        total_ms=row["total_ms"],
        squares=row["calls"] * (row["stddev_ms"] ** 2 + row["mean_ms"] ** 2),
        rows=row["rows"],
        blocks=row["shared_blocks_hit"] + row["shared_blocks_read"],
        blocks_read=row["shared_blocks_read"],
        temp_blocks=row["temp_blocks_written"],
        wal_bytes=row["wal_bytes"],
        max_ms=row["max_ms"],
        touches=is_touched,
        since=row["stats_since"],
        is_parsed=is_parsed,
        query_ids=(row["query_id"],),
    )


def _together(one: StatementFigures, other: StatementFigures) -> StatementFigures:
    """Two entries of one statement: a bound and a literal variant, or from before and after ADD COLUMN."""
    return StatementFigures(
        key=one.key,
        query=one.query,
        calls=one.calls + other.calls,
        total_ms=one.total_ms + other.total_ms,
        squares=one.squares + other.squares,
        rows=one.rows + other.rows,
        blocks=one.blocks + other.blocks,
        blocks_read=one.blocks_read + other.blocks_read,
        temp_blocks=one.temp_blocks + other.temp_blocks,
        wal_bytes=one.wal_bytes + other.wal_bytes,
        max_ms=max(one.max_ms, other.max_ms),
        touches=one.touches,
        since=None if one.since is None or other.since is None else min(one.since, other.since),
        is_parsed=one.is_parsed and other.is_parsed,
        query_ids=tuple(sorted({*one.query_ids, *other.query_ids})),
    )


def _plain(row: dict[str, Any] | Any) -> dict[str, Any]:
    """Times as ISO 8601, infinities as None: JSON has neither."""
    return {name: _value(value) for name, value in dict(row).items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value
