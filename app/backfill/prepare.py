"""From a definition to a job on the target: look at the table, choose the walk of each leaf, cut it into shards."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import psycopg
from psycopg import sql

from app.backfill.change import Change
from app.backfill.convergence import Convergence, by_syntax, by_trial, of_copy, of_delete
from app.backfill.copying import prepare_copy
from app.backfill.definition import Action, BackfillDefinition
from app.backfill.estimate import Estimate, estimate
from app.backfill.expressions import BackfillRefusedError
from app.backfill.keys import Key
from app.backfill.keyset import last_key_statement, sample_statement, without_order
from app.backfill.references import read_references
from app.backfill.refusals import refuse_impossible
from app.backfill.shards import NULL_KEY, NewShard
from app.backfill.statements import relation_sql
from app.backfill.strategy import Strategy, choose_strategy
from app.backfill.table import Table, find_table, read_leaves, read_table
from app.backfill.volatility import read_volatile

#: a shard smaller than this is not worth a worker of its own
_LEAST_PAGES_PER_SHARD = 256
#: pages that are read to find keys at which a table is cut
_SAMPLE_PAGES = 400
#: rows without a place in the key's order are one batch, which must stay a short one
MOST_NULL_KEYS = 10_000
NULL_KEYS = "SELECT count(*) FROM (SELECT 1 FROM ONLY {relation} AS {row} WHERE {nulls} LIMIT {most}) AS found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was found and decided."""

    root: Table
    leaves: tuple[Table, ...]
    strategies: tuple[Strategy, ...]
    estimates: tuple[Estimate, ...]

    def changes(self, definition: BackfillDefinition) -> tuple[Change, ...]:
        """What is done to each leaf."""
        pairs = zip(self.leaves, self.strategies, strict=True)
        return tuple(Change.of(definition, leaf, self.alias, strategy.copy) for leaf, strategy in pairs)

    @property
    def alias(self) -> str:
        """What the definition's texts call the table."""
        return self.root.name

    @property
    def matching(self) -> int | None:
        """Rows that match, over all leaves, where that could be told."""
        known = [found.matching for found in self.estimates]
        return None if None in known else sum(rows or 0 for rows in known)


def prepare(
    connection: psycopg.Connection[Any], definition: BackfillDefinition, *, only: Collection[int] | None = None
) -> Prepared:
    """Look and decide; changes nothing. ``only``: the OIDs of those parts of the table that are asked about.

    Raises BackfillRefusedError with the reason and the way out.
    """
    root, leaves = read_tables(connection, definition)
    leaves = tuple(leaf for leaf in leaves if only is None or leaf.oid in only)
    refuse_impossible(definition, root, leaves)
    copy, notes = prepare_copy(connection, definition, root) if definition.action == "copy" else (None, ())
    if definition.action == "delete":
        notes = read_references(connection, root, leaves)
    volatile_set, foreign = read_volatile(connection, definition.expressions.set_functions)
    volatile_where, _ = read_volatile(connection, definition.expressions.where_functions)
    volatile = {"set": volatile_set, "where": volatile_where}
    if not leaves:
        _refuse_unplannable(connection, definition, root, Change.of(definition, root, root.name, copy))
    strategies, estimates = [], []
    for leaf in leaves:
        change = Change.of(definition, leaf, root.name, copy)
        _refuse_unplannable(connection, definition, root, change)
        strategy = choose_strategy(definition, leaf, _convergence(connection, change, leaf, may_try=not foreign), volatile, copy)
        strategies.append(replace(strategy, warnings=(*strategy.warnings, *notes)))
        estimates.append(estimate(connection, leaf, change))
    return Prepared(root=root, leaves=leaves, strategies=tuple(strategies), estimates=tuple(estimates))


def _convergence(connection: psycopg.Connection[Any], change: Change, leaf: Table, *, may_try: bool) -> Convergence:
    """``may_try`` is False where functions of a person, which may act outside the row, would be called."""
    if change.copy is not None:
        return of_copy(change.copy)
    if change.action == "delete":
        return of_delete(leaf)
    found = by_syntax(change.expressions, leaf)
    return by_trial(connection, change.expressions, leaf, change.alias) if found.ends is None and may_try else found


def read_tables(connection: psycopg.Connection[Any], definition: BackfillDefinition) -> tuple[Table, tuple[Table, ...]]:
    """The table that is named, and those with storage below it."""
    root = read_table(connection, find_table(connection, definition.table))
    return root, read_leaves(connection, root)


def _refuse_unplannable(
    connection: psycopg.Connection[Any], definition: BackfillDefinition, table: Table, change: Change
) -> None:
    """Let the server say what it thinks of names, types and rights, before anything is begun.

    Raises BackfillRefusedError with the server's own words.
    """
    try:
        connection.execute(sql.SQL("EXPLAIN {}").format(change.statement(sql.SQL("true"))), {})
    except psycopg.errors.LockNotAvailable:
        return
    except psycopg.Error as error:
        if error.sqlstate is None or error.sqlstate[:2] not in {"42", "22", "0A"}:
            raise
        hint = error.diag.message_hint
        if error.sqlstate == "42501":
            hint = f"Let its owner run: {_grant(definition.action, table, change)} TO {connection.info.user};"
        raise BackfillRefusedError(
            f"The target refuses the {definition.action}: {error.diag.message_primary}.", sqlstate=error.sqlstate, hint=hint
        ) from None


def _grant(action: Action, table: Table, change: Change) -> str:
    if change.copy is None:
        return f"GRANT SELECT, {action.upper()} ON {table.qualified}"
    update = ", UPDATE" if change.copy.locks_rows else ""
    return f"GRANT SELECT{update} ON {table.qualified}, and GRANT SELECT, INSERT ON {change.copy.qualified}"


def new_shards(connection: psycopg.Connection[Any], prepared: Prepared, workers: int) -> list[NewShard]:
    """The ranges to walk: one a leaf, or more where there are more workers than leaves."""
    share = max(1, -(-workers // max(1, len(prepared.leaves))))
    shards: list[NewShard] = []
    for leaf, strategy in zip(prepared.leaves, prepared.strategies, strict=True):
        parts = max(1, min(share, leaf.pages // _LEAST_PAGES_PER_SHARD))
        cut = _page_ranges if strategy.kind == "windows" else _key_ranges
        shards += cut(connection, leaf, strategy, parts)
    return shards


def _page_ranges(_: psycopg.Connection[Any], table: Table, strategy: Strategy, parts: int) -> list[NewShard]:
    edges = [table.pages * part // parts for part in range(parts + 1)]
    return [NewShard(relation=strategy.relation, lo=lo, hi=hi, filenode=table.filenode) for lo, hi in pairwise(edges)]


def _key_ranges(connection: psycopg.Connection[Any], table: Table, strategy: Strategy, parts: int) -> list[NewShard]:
    """Cut at keys of a sample of pages; each edge is a whole key that exists. Rows with NULL in the key come first."""
    key, relation = strategy.key, (table.schema, table.name)
    if key is None:
        raise BackfillRefusedError(f"{table.qualified} has no key to walk by.")
    edges: list[list[str]] = []
    if parts > 1:
        percent = min(100.0, 100.0 * _SAMPLE_PAGES / max(table.pages, 1))
        edges = [list(row) for row in connection.execute(sample_statement(relation, key, percent=percent, parts=parts))]
    last = connection.execute(last_key_statement(relation, key)).fetchone()
    end = list(last) if last else None
    bounds = [None, *(edge for edge in edges if edge != end), end]
    ranges = [NewShard(relation=strategy.relation, lo=lo, hi=hi, filenode=table.filenode) for lo, hi in pairwise(bounds)]
    if not key.has_nulls:
        return ranges
    _refuse_many_null_keys(connection, table, key)
    return [NewShard(relation=strategy.relation, lo=NULL_KEY, hi=None, filenode=table.filenode), *ranges]


def _refuse_many_null_keys(connection: psycopg.Connection[Any], table: Table, key: Key) -> None:
    row = sql.Identifier(table.name)
    words = {"relation": relation_sql(table.schema, table.name), "row": row, "nulls": without_order(key, row)}
    found = connection.execute(sql.SQL(NULL_KEYS).format(**words, most=sql.Literal(MOST_NULL_KEYS + 1))).fetchone()
    if found is not None and found[0] > MOST_NULL_KEYS:
        raise BackfillRefusedError(
            f"More than {MOST_NULL_KEYS:,} rows of {table.qualified} have NULL in {', '.join(key.names)}, the only unique key: "
            "they can't be told apart, so that they would have to be one batch.",
            hint="Add a primary key, or write a condition that the update itself makes false, such as `role IS NULL`.",
        )


def with_speed(definition: BackfillDefinition, speed: dict[str, Any]) -> BackfillDefinition:
    """The definition with another profile or rate, as somebody asked for it under way."""
    profile = speed.get("profile") or definition.profile
    rate = speed.get("max_rate", definition.max_rate)
    return replace(definition, profile=profile, max_rate=float(rate) if rate else None)
