"""What a reviewer sees before anybody runs a backfill: the walk and why, the plan of a batch, rows before and after, time, space.

Rows are changed only in a transaction that is rolled back.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from app.backfill.change import Change
from app.backfill.definition import BackfillDefinition
from app.backfill.expressions import BackfillRefusedError
from app.backfill.keyset import PLANNER_SETTINGS
from app.backfill.pace import PROFILES
from app.backfill.prepare import Prepared, new_shards, prepare
from app.backfill.statements import relation_sql
from app.backfill.strategy import Strategy
from app.backfill.table import Table
from app.backfill.trial import SampleRow, Trial, try_rows
from app.backfill.volatility import read_volatile
from app.plan.backfills import as_statement

#: header and line pointer of a row version
_ROW_OVERHEAD_BYTES = 28
#: Speed of a whole walk against a single small trial, as measured: the trial pays its start for few rows.
_FASTER, _SLOWER = 4.0, 0.7

TABLE_BYTES = "SELECT coalesce(sum(pg_table_size(oid::oid)), 0)::bigint FROM unnest(%s::bigint[]) AS oid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The facts behind a yes."""

    table: str
    #: the SQL that would do the same in one bite
    statement: str
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
    #: what the table, or the one that is copied into, may grow by
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
    change, leaf, strategy = _largest(prepared, definition)
    trial = _try(connection, change, leaf)
    warnings = dict.fromkeys(warning for found in prepared.strategies for warning in found.warnings)
    reasons = dict.fromkeys(reason for found in prepared.strategies for reason in found.reasons)
    rows = prepared.matching
    return Preview(
        table=prepared.root.qualified,
        statement=as_statement(definition.as_json()),
        strategy=" and ".join(sorted({found.kind for found in prepared.strategies})),
        passes=strategy.passes,
        shards=len(new_shards(connection, prepared, definition.workers)),
        reasons=tuple(reasons),
        warnings=tuple(warnings),
        table_rows=_total([found.rows for found in prepared.estimates]),
        estimated_rows=rows,
        is_exact=all(found.is_exact for found in prepared.estimates),
        plan=_plan(connection, change, strategy),
        sample=trial.rows,
        sample_note=trial.note,
        seconds=_seconds(definition, rows, trial.rows_per_second),
        growth_bytes=_growth(connection, definition, prepared, strategy),
    )


def _largest(prepared: Prepared, definition: BackfillDefinition) -> tuple[Change, Table, Strategy]:
    every = zip(prepared.changes(definition), prepared.leaves, prepared.strategies, strict=True)
    return max(every, key=lambda found: found[1].pages)


def _try(connection: psycopg.Connection[Any], change: Change, leaf: Table) -> Trial:
    _, foreign = read_volatile(connection, change.expressions.set_functions)
    if foreign:
        return Trial(note=f"not tried: {', '.join(sorted(foreign))}() may act outside the row")
    triggers = [trigger.name for trigger in leaf.triggers_on(change.action)]
    if triggers:
        return Trial(note=f"not tried: the triggers {', '.join(triggers)} may act outside the row")
    return try_rows(connection, change, leaf)


def _plan(connection: psycopg.Connection[Any], change: Change, strategy: Strategy) -> tuple[str, ...]:
    """EXPLAIN of one batch, as the walk's own session would plan it."""
    key = strategy.key
    if strategy.kind == "windows" or key is None:
        rows = sql.SQL("{row}.ctid >= '(0,0)'::tid AND {row}.ctid < '(64,0)'::tid").format(row=change.row)
    else:
        first = sql.SQL("{}.{}").format(change.row, sql.Identifier(key.names[0]))
        low = sql.SQL("SELECT {first} FROM ONLY {relation} AS {row} ORDER BY 1 LIMIT 1").format(
            first=first, relation=relation_sql(*change.relation), row=change.row
        )
        rows = sql.SQL("{first} <= ({low})").format(first=first, low=low)
    with connection.transaction(force_rollback=True):
        if strategy.kind == "keyset":
            for name, value in PLANNER_SETTINGS.items():
                connection.execute("SELECT set_config(%s, %s, true)", (name, value))
        found = connection.execute(sql.SQL("EXPLAIN {}").format(change.statement(rows)), {})
        return tuple(str(line[0]) for line in found)


def _seconds(definition: BackfillDefinition, rows: int | None, rate: float | None) -> tuple[float, float] | None:
    if rows is None or rate is None:
        return None
    busy = 1 + PROFILES[definition.profile].nice
    workers = min(definition.workers, 2) ** 0.5
    low, high = rows / (rate * _FASTER * workers) * busy, rows / (rate * _SLOWER) * busy
    floor = rows / definition.max_rate if definition.max_rate else 0.0
    return round(max(low, floor), 1), round(max(high, floor), 1)


def _growth(
    connection: psycopg.Connection[Any], definition: BackfillDefinition, prepared: Prepared, strategy: Strategy
) -> int | None:
    if definition.action == "delete":
        return 0
    rows, total = prepared.matching, _total([found.rows for found in prepared.estimates])
    size = connection.execute(TABLE_BYTES, ([leaf.oid for leaf in prepared.leaves],)).fetchone()
    if rows is None or not total or size is None:
        return None
    return int(rows * (size[0] / total + _ROW_OVERHEAD_BYTES) / strategy.passes)


def _total(counts: list[int | None]) -> int | None:
    return None if None in counts else sum(count or 0 for count in counts)
