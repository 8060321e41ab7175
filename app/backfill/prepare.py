"""From a definition to a job on the target: look at the table, choose the walk of each leaf, cut it into shards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import psycopg
from psycopg import sql

from app.backfill.convergence import by_syntax, by_trial
from app.backfill.definition import BackfillDefinition
from app.backfill.estimate import Estimate, estimate
from app.backfill.expressions import BackfillRefusedError
from app.backfill.keyset import last_key_statement
from app.backfill.shards import NewShard
from app.backfill.statements import literal_sql, relation_sql
from app.backfill.strategy import Strategy, choose_strategy, refuse_impossible
from app.backfill.table import Table, find_table, read_leaves, read_table
from app.backfill.volatility import read_volatile

#: a shard smaller than this is not worth a worker of its own
_LEAST_PAGES_PER_SHARD = 256
HISTOGRAM = """
SELECT histogram_bounds::text::text[] FROM pg_catalog.pg_stats
 WHERE schemaname = %(schema)s AND tablename = %(name)s AND attname = %(column)s AND NOT inherited
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was found and decided."""

    root: Table
    leaves: tuple[Table, ...]
    strategies: tuple[Strategy, ...]
    estimates: tuple[Estimate, ...]

    @property
    def alias(self) -> str:
        """What the definition's texts call the table."""
        return self.root.name

    @property
    def matching(self) -> int | None:
        """Rows that match, over all leaves, where that could be told."""
        known = [found.matching for found in self.estimates]
        return None if None in known else sum(rows or 0 for rows in known)


def prepare(connection: psycopg.Connection[Any], definition: BackfillDefinition) -> Prepared:
    """Look and decide; changes nothing.

    Raises BackfillRefusedError with the reason and the way out.
    """
    root, leaves = read_tables(connection, definition)
    refuse_impossible(definition, root, leaves)
    expressions = definition.expressions
    volatile_set, foreign = read_volatile(connection, expressions.set_functions)
    volatile_where, _ = read_volatile(connection, expressions.where_functions)
    _refuse_unplannable(connection, definition, root)
    strategies, estimates = [], []
    for leaf in leaves:
        convergence = by_syntax(expressions, leaf)
        # functions of a person may act outside the row: they are not called on trial
        if convergence.ends is None and not foreign:
            convergence = by_trial(connection, expressions, leaf, root.name)
        strategies.append(choose_strategy(definition, leaf, convergence, {"set": volatile_set, "where": volatile_where}))
        estimates.append(estimate(connection, leaf, expressions, root.name))
    return Prepared(root=root, leaves=leaves, strategies=tuple(strategies), estimates=tuple(estimates))


def read_tables(connection: psycopg.Connection[Any], definition: BackfillDefinition) -> tuple[Table, tuple[Table, ...]]:
    """The table that is named, and those with storage below it."""
    root = read_table(connection, find_table(connection, definition.table))
    return root, read_leaves(connection, root)


def _refuse_unplannable(connection: psycopg.Connection[Any], definition: BackfillDefinition, root: Table) -> None:
    """Let the server say what it thinks of names and types, before anything is begun.

    Raises BackfillRefusedError with the server's own words.
    """
    statement = sql.SQL("EXPLAIN UPDATE {} SET {}\n WHERE (\n{}\n)").format(
        relation_sql(root.schema, root.name),
        literal_sql(definition.expressions.set_text),
        literal_sql(definition.expressions.where_text),
    )
    try:
        connection.execute(statement, {})
    except psycopg.errors.LockNotAvailable:
        return
    except psycopg.Error as error:
        if error.sqlstate is None or error.sqlstate[:2] not in {"42", "22", "0A"}:
            raise
        hint = error.diag.message_hint
        if error.sqlstate == "42501":
            hint = f"Let its owner run: GRANT SELECT, UPDATE ON {root.qualified} TO {connection.info.user};"
        raise BackfillRefusedError(
            f"The target refuses the update: {error.diag.message_primary}.", sqlstate=error.sqlstate, hint=hint
        ) from None


def new_shards(connection: psycopg.Connection[Any], prepared: Prepared, workers: int) -> list[NewShard]:
    """The ranges to walk: one a leaf, or more where there are more workers than leaves."""
    share = max(1, -(-workers // max(1, len(prepared.leaves))))
    shards: list[NewShard] = []
    for leaf, strategy in zip(prepared.leaves, prepared.strategies, strict=True):
        parts = max(1, min(share, leaf.pages // _LEAST_PAGES_PER_SHARD))
        cut = _page_ranges if strategy.kind == "windows" else _key_ranges
        shards += cut(connection, leaf, strategy, parts)
    return shards


def _page_ranges(_: psycopg.Connection[Any], table: Table, __: Strategy, parts: int) -> list[NewShard]:
    edges = [table.pages * part // parts for part in range(parts + 1)]
    return [NewShard(relation=table.qualified, lo=lo, hi=hi, filenode=table.filenode) for lo, hi in pairwise(edges)]


def _key_ranges(connection: psycopg.Connection[Any], table: Table, strategy: Strategy, parts: int) -> list[NewShard]:
    """Cut at the histogram of the key's first column; each edge is a whole key that exists."""
    key = strategy.key
    if key is None:
        raise BackfillRefusedError(f"{table.qualified} has no key to walk by.")
    relation = (table.schema, table.name)
    edges: list[list[str] | None] = []
    for bound in _bounds(connection, table, key.names[0], parts):
        row = connection.execute(last_key_statement(relation, key, first_column_up_to=True), {"bound": bound}).fetchone()
        if row is not None and list(row) not in edges:
            edges.append(list(row))
    last = connection.execute(last_key_statement(relation, key)).fetchone()
    end = list(last) if last else None
    edges = [None, *(edge for edge in edges if edge != end), end]
    return [NewShard(relation=table.qualified, lo=lo, hi=hi, filenode=table.filenode) for lo, hi in pairwise(edges)]


def _bounds(connection: psycopg.Connection[Any], table: Table, column: str, parts: int) -> Sequence[str]:
    if parts == 1:
        return ()
    words = {"schema": table.schema, "name": table.name, "column": column}
    row = connection.execute(HISTOGRAM, words).fetchone()
    bounds = (row[0] or []) if row else []
    return [bounds[len(bounds) * part // parts] for part in range(1, parts)] if len(bounds) > parts else ()


def with_speed(definition: BackfillDefinition, speed: dict[str, Any]) -> BackfillDefinition:
    """The definition with another profile or rate, as somebody asked for it under way."""
    profile = speed.get("profile") or definition.profile
    rate = speed.get("max_rate", definition.max_rate)
    return replace(definition, profile=profile, max_rate=float(rate) if rate else None)
