"""What a reviewer sees before anybody runs a backfill: the walk and why, the plan of a batch, rows before and after, time, space.

Rows are changed only in a transaction that is rolled back.
"""

import dataclasses
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import psycopg
from psycopg import sql

from app.backfill.definition import BackfillDefinition
from app.backfill.expressions import BackfillRefusedError
from app.backfill.faults import sentence
from app.backfill.pace import PROFILES
from app.backfill.prepare import Prepared, new_shards, prepare
from app.backfill.statements import literal_sql, relation_sql
from app.backfill.strategy import Strategy
from app.backfill.table import Table
from app.backfill.volatility import read_volatile

SAMPLE_ROWS = 5
_TRIAL_ROWS = 500
#: header and line pointer of a row version
_ROW_OVERHEAD_BYTES = 28
#: Speed of a whole walk against a single small trial, as measured: the trial pays its start for few rows.
_FASTER, _SLOWER = 4.0, 0.7

TRIAL = """
WITH headgate_sample AS MATERIALIZED (
    SELECT {alias}.ctid AS headgate_place, to_jsonb({alias}) AS headgate_before FROM ONLY {relation} AS {alias}
     WHERE (
{where}
) LIMIT {rows})
UPDATE ONLY {relation} AS {alias} SET {assignments}
  FROM headgate_sample WHERE {alias}.ctid = headgate_place
RETURNING headgate_before, to_jsonb({alias})
"""
PLAN = """
EXPLAIN (FORMAT TEXT) UPDATE ONLY {relation} AS {alias} SET {assignments}
 WHERE {bounds} AND (
{where}
)
"""
TABLE_BYTES = "SELECT coalesce(sum(pg_table_size(oid::oid)), 0)::bigint FROM unnest(%s::bigint[]) AS oid"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    """One row as it is and as it would be; only the key and the columns that change."""

    key: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The facts behind a yes."""

    table: str
    strategy: str
    passes: int
    shards: int
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    #: rows of the table, and those that match
    table_rows: int | None
    estimated_rows: int | None
    is_exact: bool
    #: EXPLAIN of one batch, line by line
    plan: tuple[str, ...]
    sample: tuple[SampleRow, ...]
    #: why there is no sample, or what failed in it
    sample_note: str
    #: low and high, None where the trial gave nothing to go by
    seconds: tuple[float, float] | None
    #: what the table may grow by
    growth_bytes: int | None

    def as_json(self) -> dict[str, Any]:
        """JSON values for the page."""
        return dataclasses.asdict(self)


def preview(connection: psycopg.Connection[Any], definition: BackfillDefinition) -> Preview:
    """Look, try, roll back. ``connection`` is in autocommit mode.

    Raises BackfillRefusedError where the backfill can't be run.
    """
    prepared = prepare(connection, definition)
    if not prepared.leaves:
        raise BackfillRefusedError(f"{prepared.root.qualified} has no partitions yet, so there is nothing to change.")
    leaf, strategy = _largest(prepared)
    sample, note, rate = _try_rows(connection, definition, prepared, leaf)
    warnings = dict.fromkeys(warning for found in prepared.strategies for warning in found.warnings)
    reasons = dict.fromkeys(reason for found in prepared.strategies for reason in found.reasons)
    rows = prepared.matching
    return Preview(
        table=prepared.root.qualified,
        strategy=" and ".join(sorted({found.kind for found in prepared.strategies})),
        passes=strategy.passes,
        shards=len(new_shards(connection, prepared, definition.workers)),
        reasons=tuple(reasons),
        warnings=tuple(warnings),
        table_rows=_total([found.rows for found in prepared.estimates]),
        estimated_rows=rows,
        is_exact=all(found.is_exact for found in prepared.estimates),
        plan=_plan(connection, definition, prepared.alias, leaf, strategy),
        sample=sample,
        sample_note=note,
        seconds=_seconds(definition, rows, rate),
        growth_bytes=_growth(connection, prepared, strategy),
    )


def _largest(prepared: Prepared) -> tuple[Table, Strategy]:
    return max(zip(prepared.leaves, prepared.strategies, strict=True), key=lambda pair: pair[0].pages)


def _try_rows(
    connection: psycopg.Connection[Any], definition: BackfillDefinition, prepared: Prepared, leaf: Table
) -> tuple[tuple[SampleRow, ...], str, float | None]:
    """A few rows before and after, a note where there are none, and rows a second in the trial."""
    _, foreign = read_volatile(connection, definition.expressions.set_functions)
    if foreign:
        return (), f"not tried: {', '.join(sorted(foreign))}() may act outside the row", None
    statement = sql.SQL(TRIAL).format(
        alias=sql.Identifier(prepared.alias),
        relation=relation_sql(leaf.schema, leaf.name),
        where=literal_sql(definition.expressions.where_text),
        assignments=literal_sql(definition.expressions.set_text + "\n"),
        rows=sql.Literal(_TRIAL_ROWS),
    )
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SELECT set_config('statement_timeout', '3000', true), set_config('lock_timeout', '250', true)")
            started = perf_counter()
            tried = connection.execute(statement, {}).fetchall()
            took = perf_counter() - started
    except psycopg.errors.QueryCanceled:
        return (), "no matching row was found within 3 seconds", None
    except (psycopg.errors.DataError, psycopg.errors.IntegrityError, psycopg.errors.RaiseException) as error:
        return (), f"a row fails: {sentence(error)}", None
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return (), "the rows of the trial were locked by others", None
    names = _key_names(leaf)
    rows = tuple(_difference(before, after, names) for before, after in tried[:SAMPLE_ROWS])
    return rows, "" if rows else "no row matches now", len(tried) / took if tried else None


def _key_names(leaf: Table) -> tuple[str, ...]:
    return next((index.key_columns for index in leaf.indexes if index.is_primary), ())


def _difference(before: dict[str, Any], after: dict[str, Any], names: tuple[str, ...]) -> SampleRow:
    changed = [name for name in after if before.get(name) != after[name]]
    return SampleRow(
        key={name: after[name] for name in names if name in after},
        before={name: before.get(name) for name in changed},
        after={name: after[name] for name in changed},
    )


def _plan(
    connection: psycopg.Connection[Any], definition: BackfillDefinition, alias: str, leaf: Table, strategy: Strategy
) -> tuple[str, ...]:
    row = sql.Identifier(alias)
    if strategy.kind == "windows" or strategy.key is None:
        bounds = sql.SQL("{row}.ctid >= '(0,0)'::tid AND {row}.ctid < '(64,0)'::tid").format(row=row)
    else:
        first = sql.SQL("{}.{}").format(row, sql.Identifier(strategy.key.names[0]))
        low = sql.SQL("SELECT {first} FROM ONLY {relation} AS {row} ORDER BY 1 LIMIT 1").format(
            first=first, relation=relation_sql(leaf.schema, leaf.name), row=row
        )
        bounds = sql.SQL("{first} <= ({low})").format(first=first, low=low)
    statement = sql.SQL(PLAN).format(
        relation=relation_sql(leaf.schema, leaf.name),
        alias=row,
        assignments=literal_sql(definition.expressions.set_text + "\n"),
        bounds=bounds,
        where=literal_sql(definition.expressions.where_text),
    )
    return tuple(str(line[0]) for line in connection.execute(statement, {}))


def _seconds(definition: BackfillDefinition, rows: int | None, rate: float | None) -> tuple[float, float] | None:
    if rows is None or rate is None:
        return None
    busy = 1 + PROFILES[definition.profile].nice
    workers = min(definition.workers, 2) ** 0.5
    low, high = rows / (rate * _FASTER * workers) * busy, rows / (rate * _SLOWER) * busy
    floor = rows / definition.max_rate if definition.max_rate else 0.0
    return round(max(low, floor), 1), round(max(high, floor), 1)


def _growth(connection: psycopg.Connection[Any], prepared: Prepared, strategy: Strategy) -> int | None:
    rows, total = prepared.matching, _total([found.rows for found in prepared.estimates])
    size = connection.execute(TABLE_BYTES, ([leaf.oid for leaf in prepared.leaves],)).fetchone()
    if rows is None or not total or size is None:
        return None
    return int(rows * (size[0] / total + _ROW_OVERHEAD_BYTES) / strategy.passes)


def _total(counts: list[int | None]) -> int | None:
    return None if None in counts else sum(count or 0 for count in counts)
