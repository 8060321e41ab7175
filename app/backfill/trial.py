"""A few rows as they are and as they would be, changed in a transaction that is rolled back."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import psycopg
from psycopg import sql

from app.backfill.change import Change
from app.backfill.faults import sentence
from app.backfill.statements import literal_sql, relation_sql
from app.backfill.table import Table

SAMPLE_ROWS = 5
_TRIAL_ROWS = 500
# the old row and the new one side by side, on servers whose RETURNING knows only the new one
UPDATE = """
WITH headgate_sample AS MATERIALIZED (
    SELECT {row}.ctid AS headgate_place, to_jsonb({row}) AS headgate_before FROM ONLY {relation} AS {row}
     WHERE (
{where}
) LIMIT {rows})
UPDATE ONLY {relation} AS {row} SET {list}
  FROM headgate_sample WHERE {row}.ctid = headgate_place
RETURNING headgate_before, to_jsonb({row})
"""
SOME = """{row}.ctid = ANY (ARRAY(SELECT {row}.ctid FROM ONLY {relation} AS {row} WHERE {unfinished} LIMIT {rows}))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    """One row: its key, and the columns that change; a deleted row has no ``after``, a copied one no ``before``."""

    key: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of it."""

    rows: tuple[SampleRow, ...] = ()
    #: why there are no rows, or what failed
    note: str = ""
    rows_per_second: float | None = None


def try_rows(connection: psycopg.Connection[Any], change: Change, table: Table) -> Trial:
    """Change a few rows that match, look, and roll back; takes at most three seconds."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SELECT set_config('statement_timeout', '3000', true), set_config('lock_timeout', '250', true)")
            started = perf_counter()
            tried = connection.execute(_statement(change), {}).fetchall()
            took = perf_counter() - started
    except psycopg.errors.QueryCanceled:
        return Trial(note="no matching row was found within 3 seconds")
    except (psycopg.errors.DataError, psycopg.errors.IntegrityError, psycopg.errors.RaiseException) as error:
        return Trial(note=f"a row fails: {sentence(error)}")
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return Trial(note="the rows of the trial were locked by others")
    if not tried:
        return Trial(note="no row matches now")
    names = next((index.key_columns for index in table.indexes if index.is_primary), ())
    rows = tuple(_difference(before or {}, after or {}, names) for before, after in tried[:SAMPLE_ROWS])
    return Trial(rows=rows, rows_per_second=len(tried) / took)


def _statement(change: Change) -> sql.Composed:
    words = {"row": change.row, "relation": relation_sql(*change.relation), "rows": sql.Literal(_TRIAL_ROWS)}
    if change.action == "update":
        return sql.SQL(UPDATE).format(**words, where=change.where(), list=literal_sql(change.expressions.set_text + "\n"))
    some = sql.SQL(SOME).format(**words, unfinished=change.unfinished())
    returning = "NULL::jsonb, to_jsonb(headgate_into)" if change.action == "copy" else "to_jsonb({row}), NULL::jsonb"
    return change.statement(some, returning=sql.SQL(returning).format(row=change.row))


def _difference(before: dict[str, Any], after: dict[str, Any], names: tuple[str, ...]) -> SampleRow:
    whole = after or before
    changed = [name for name in whole if before.get(name) != after.get(name)]
    return SampleRow(
        key={name: whole[name] for name in names if name in whole},
        before={name: before.get(name) for name in changed} if before else {},
        after={name: after.get(name) for name in changed} if after else {},
    )
