"""Sizes and traffic of a target at one moment."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from app.catalog.ask import Connection, ask, one_snapshot
from app.catalog.records import QueryStatistics, RelationStatistics, Statistics
from app.catalog.schema import OWN_SCHEMA
from app.catalog.statements import HIDDEN, read_counted_since, read_statements

#: What a partitioned table has is what its partitions have.
_SUMMED = (
    "table_bytes",
    "indexes_bytes",
    "total_bytes",
    "live_rows",
    "dead_rows",
    "sequential_scans",
    "index_scans",
    "rows_inserted",
    "rows_updated",
    "rows_deleted",
)
_QUERY_FIELDS = tuple(field.name for field in dataclasses.fields(QueryStatistics) if field.name != "calls_per_second")
#: what was counted for less than this is no rate
LEAST_SECONDS = 5.0


def read_statistics(connection: Connection, *, query_limit: int = 5000) -> Statistics:
    """Sizes and counters of every table, and the statements that pg_stat_statements knows.

    Never waits for a table that is being altered: the size last seen by VACUUM stands in.
    """
    with one_snapshot(connection):
        schemas = [row["oid"] for row in ask(connection, "own_schemas", {"own": OWN_SCHEMA})]
        tables = ask(connection, "table_sizes", {"schemas": schemas})
        statements = read_statements(connection, limit=query_limit)
        now, counted_since = read_counted_since(connection)
        database_bytes = ask(connection, "database_size")[0]["database_bytes"]
    visible = [row for row in statements or () if row["query_id"] is not None and row["query"] != HIDDEN]
    return Statistics(
        relations=_relations(tables),
        queries=tuple(_query(row, now - max(row["stats_since"] or 0.0, counted_since or now)) for row in visible),
        database_bytes=database_bytes,
        has_statements=statements is not None and (bool(visible) or not statements),
        counted_seconds=None if counted_since is None else now - counted_since,
    )


def _query(row: dict[str, Any], seconds: float) -> QueryStatistics:
    """One statement with its rate on average since it is counted."""
    rate = row["calls"] / seconds if seconds >= LEAST_SECONDS else None
    return QueryStatistics(**{name: row[name] for name in _QUERY_FIELDS}, calls_per_second=rate)


def with_rates(earlier: Statistics, later: Statistics, seconds: float) -> Statistics:
    """The later look with what happened per second since the earlier one; None for a table whose counter went back (a reset).

    A table's reads are scans begun and its writes are rows changed: PostgreSQL counts statements by text, not by table.
    """
    if seconds <= 0:
        return later
    return dataclasses.replace(
        later,
        relations={name: _rated(earlier.relations.get(name), table, seconds) for name, table in later.relations.items()},
        queries=tuple(_called(earlier.queries, later.queries, seconds)),
        counted_seconds=seconds,
        is_since_last_look=True,
    )


def _called(earlier: Iterable[QueryStatistics], later: Iterable[QueryStatistics], seconds: float) -> Iterator[QueryStatistics]:
    """The statements with their calls since the earlier look; where a counter went back it was reset, and all it has is new.

    One statement of several roles has several entries of one id: the first of them carries the rate of all.
    """
    before, after = _calls(earlier), _calls(later)
    told: set[int] = set()
    for query in later:
        now, was = after[query.query_id], before.get(query.query_id, 0)
        rate = 0.0 if query.query_id in told else (now - was if now >= was else now) / seconds
        told.add(query.query_id)
        yield dataclasses.replace(query, calls_per_second=rate)


def _calls(queries: Iterable[QueryStatistics]) -> dict[int, int]:
    calls: dict[int, int] = defaultdict(int)
    for query in queries:
        calls[query.query_id] += query.calls
    return calls


def _rated(earlier: RelationStatistics | None, later: RelationStatistics, seconds: float) -> RelationStatistics:
    if earlier is None:
        return later
    reads = later.sequential_scans + later.index_scans - earlier.sequential_scans - earlier.index_scans
    writes = _written(later) - _written(earlier)
    return dataclasses.replace(
        later,
        reads_per_second=reads / seconds if reads >= 0 else None,
        writes_per_second=writes / seconds if writes >= 0 else None,
    )


def _written(table: RelationStatistics) -> int:
    return table.rows_inserted + table.rows_updated + table.rows_deleted


def _relations(rows: list[dict[str, Any]]) -> dict[str, RelationStatistics]:
    children: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["parent_oid"] is not None:
            children[row["parent_oid"]].append(row)

    def totals(row: dict[str, Any]) -> dict[str, int]:
        sums = {name: row[name] for name in _SUMMED}
        for child in children.get(row["oid"], ()):
            for name, value in totals(child).items():
                sums[name] += value
        return sums

    return {
        row["name"]: RelationStatistics(name=row["name"], estimated_rows=_estimate(row, children), **totals(row)) for row in rows
    }


def _estimate(row: dict[str, Any], children: dict[int, list[dict[str, Any]]]) -> int | None:
    parts = [_estimate(child, children) for child in children.get(row["oid"], ())]
    known = [part for part in parts if part is not None]
    own: int | None = row["estimated_rows"]
    return sum(known) if known and not own else own
