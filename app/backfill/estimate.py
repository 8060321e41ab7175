"""How many rows match, without counting the table: from a few pages where it is large, exactly where it is small."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from app.backfill.change import Change
from app.backfill.statements import relation_sql
from app.backfill.table import Table

#: Pages that the sample reads of a larger table.
SAMPLE_PAGES = 400
_SAMPLE_TIMEOUT_MS = "3000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Rows of a table and how many of them match; None where it could not be told in time."""

    rows: int | None
    matching: int | None
    is_exact: bool = False


def estimate(connection: psycopg.Connection[Any], table: Table, change: Change) -> Estimate:
    """The estimate for one table with storage; takes at most a few seconds."""
    percent = 100.0 if table.pages <= SAMPLE_PAGES else 100.0 * SAMPLE_PAGES / table.pages
    query = sql.SQL("SELECT count(*), count(*) FILTER (WHERE {unfinished}) FROM ONLY {relation} AS {alias} {sample}").format(
        unfinished=change.unfinished(),
        relation=relation_sql(*change.relation),
        alias=change.row,
        sample=sql.SQL("") if percent >= 100 else sql.SQL("TABLESAMPLE SYSTEM ({})").format(sql.Literal(percent)),  # noqa: PLR2004 (a whole)
    )
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (_SAMPLE_TIMEOUT_MS,))
            rows, matching = connection.execute(query, {}).fetchone() or (0, 0)
    except (psycopg.errors.QueryCanceled, psycopg.errors.DataError, psycopg.errors.LockNotAvailable):
        return Estimate(rows=table.reltuples if table.reltuples >= 0 else None, matching=None)
    if percent >= 100:  # noqa: PLR2004 (a whole)
        return Estimate(rows=rows, matching=matching, is_exact=True)
    return Estimate(rows=int(rows * 100 / percent), matching=int(matching * 100 / percent))
