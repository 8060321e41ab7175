"""Rows that were set aside get another chance, one by one: each leaves the list in the statement that changes it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from app.backfill.change import Change
from app.backfill.faults import meaning, sentence
from app.backfill.prepare import Prepared
from app.backfill.shards import Checkpoints, Shard
from app.backfill.statements import literal_sql
from app.backfill.table import Table
from app.backfill.walker import LEDGER_FENCE

ONE_ROW = """
WITH headgate_fence AS MATERIALIZED (
    SELECT 1 FROM {schema}.shard
     WHERE job = %(job)s AND no = %(no)s AND epoch = %(epoch)s{fence}
       FOR NO KEY UPDATE),
headgate_aside AS (
    DELETE FROM {schema}.quarantine
     WHERE job = %(job)s AND relation = %(relation)s AND key = %(key)s::jsonb AND EXISTS (SELECT 1 FROM headgate_fence)
    RETURNING 1),
headgate_changed AS ({change})
UPDATE {schema}.shard SET rows_done = rows_done + (SELECT count(*) FROM headgate_changed), updated_at = clock_timestamp()
 WHERE job = %(job)s AND no = %(no)s AND EXISTS (SELECT 1 FROM headgate_aside)
"""
STILL_FAILS = """
UPDATE {schema}.quarantine SET sqlstate = %(sqlstate)s, message = %(message)s, at = clock_timestamp()
 WHERE job = %(job)s AND relation = %(relation)s AND key = %(key)s::jsonb
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedAgain:
    """What came of one row."""

    key: str
    #: False where it fails as before
    is_done: bool


def try_again(points: Checkpoints, run: UUID, prepared: Prepared, changes: tuple[Change, ...]) -> Iterator[TriedAgain]:
    """Change the rows that were set aside, one after the other; those of tables that are gone stay listed.

    Raises psycopg.Error where the connection is lost.
    """
    every = zip(prepared.strategies, prepared.leaves, changes, strict=True)
    known = {strategy.relation: (leaf, change) for strategy, leaf, change in every}
    shards = {shard.relation: shard for shard in reversed(points.shards())}
    for row in points.quarantined():
        if row["relation"] in known and row["relation"] in shards:
            yield _try(points, run, row, shards[row["relation"]], known[row["relation"]])


def _try(points: Checkpoints, run: UUID, row: Mapping[str, Any], shard: Shard, known: tuple[Table, Change]) -> TriedAgain:
    table, change = known
    schema, key = sql.Identifier(points.schema), json.dumps(row["key"])
    words = {"job": points.job, "no": shard.no, "epoch": shard.epoch, "run": run, "relation": row["relation"], "key": key}
    words |= {f"k{place}": str(value) for place, value in enumerate(row["key"].values())}
    statement = sql.SQL(ONE_ROW).format(
        schema=schema,
        fence=sql.SQL(LEDGER_FENCE).format(schema=schema),
        change=change.statement(_this_row(change, table, row["key"])),
    )
    try:
        with points.connection.transaction():
            points.connection.execute("SET LOCAL synchronous_commit = on")
            points.connection.execute("SELECT set_config('lock_timeout', '250ms', true)")
            points.connection.execute(statement, words)
    except psycopg.Error as error:
        if meaning(error) not in {"row", "again"}:
            raise
        told = {"sqlstate": error.sqlstate, "message": sentence(error)}
        points.connection.execute(sql.SQL(STILL_FAILS).format(schema=schema), {**words, **told})
        return TriedAgain(key=key, is_done=False)
    return TriedAgain(key=key, is_done=True)


def _this_row(change: Change, table: Table, key: Mapping[str, Any]) -> sql.Composed:
    """The row of a key, whose columns the quarantine names; tables without a key are known by the place of their rows."""
    parts: list[sql.Composable] = [sql.SQL("EXISTS (SELECT 1 FROM headgate_aside)")]
    for place, name in enumerate(key):
        column = table.column(name)
        kind = "tid" if column is None else column.type
        words = change.row, sql.Identifier(name), sql.Placeholder(f"k{place}"), literal_sql(kind)
        parts.append(sql.SQL("{}.{} = {}::{}").format(*words))
    return sql.SQL(" AND ").join(parts)
