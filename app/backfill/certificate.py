"""The proof of the end: nothing matches any more, and the ranges that were walked have no gap and no overlap."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import psycopg
from psycopg import sql

from app.backfill.change import Change
from app.backfill.shards import NULL_KEY, Shard
from app.backfill.statements import relation_sql
from app.backfill.strategy import Strategy
from app.backfill.table import Table

#: Larger tables are proven by a sweep that changed nothing: one statement over them would hold its snapshot for too long.
ONE_SNAPSHOT_BYTES = 1024**3
_COUNT_TIMEOUT_MS = "120000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What one look at the whole table found."""

    seen: int
    matching: int


def count_remains(connection: psycopg.Connection[Any], changes: Sequence[Change]) -> Remains:
    """All rows and those that are still to be done, in one snapshot over all leaves; reads, locks no row."""
    seen = matching = 0
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute(
            "SELECT set_config('statement_timeout', %s, true), set_config('max_parallel_workers_per_gather', '0', true)",
            (_COUNT_TIMEOUT_MS,),
        )
        for change in changes:
            query = sql.SQL("SELECT count(*), count(*) FILTER (WHERE {unfinished}) FROM ONLY {relation} AS {alias}").format(
                unfinished=change.unfinished(), relation=relation_sql(*change.relation), alias=change.row
            )
            row = connection.execute(query, {}).fetchone() or (0, 0)
            seen, matching = seen + row[0], matching + row[1]
    return Remains(seen=seen, matching=matching)


def fits_one_snapshot(connection: psycopg.Connection[Any], leaves: Sequence[Table]) -> bool:
    """True where one statement over all of it is a matter of seconds."""
    row = connection.execute(
        "SELECT coalesce(sum(pg_relation_size(oid::oid)), 0) FROM unnest(%s::bigint[]) AS oid", ([leaf.oid for leaf in leaves],)
    ).fetchone()
    return row is not None and int(row[0]) <= ONE_SNAPSHOT_BYTES


def ranges_are_sound(shards: Sequence[Shard]) -> bool:
    """True where the shards of each table begin at its start and each begins where the one before ended, and all are done."""
    ordered = sorted(shards, key=lambda shard: (shard.relation, shard.no))
    for _, group in groupby(ordered, key=lambda shard: shard.relation):
        # rows with NULL in their key have no place among the ranges, and are a part of their own
        parts = [shard for shard in group if shard.lo != NULL_KEY]
        if parts[0].lo not in (None, 0) or any(before.hi != after.lo for before, after in pairwise(parts)):
            return False
    return all(shard.state == "done" for shard in ordered)


def certificate(
    *,
    shards: Sequence[Shard],
    strategies: Sequence[Strategy],
    remains: Remains | None,
    quarantined: int,
) -> dict[str, Any]:
    """The proof as JSON values, kept with the job on the target and with the run's step."""
    convergent = all(strategy.convergent for strategy in strategies)
    if not convergent:
        proof = "every key from the first to the last was visited exactly once"
    elif remains is None:
        proof = "a sweep over the whole table changed no row"
    else:
        proof = "one look at the whole table in one snapshot"
    sound = ranges_are_sound(shards)
    return {
        "proof": proof,
        "remaining_rows": remains.matching if remains and convergent else (0 if convergent else None),
        "ranges": [
            {"relation": shard.relation, "from": shard.lo, "to": shard.hi, "rows_changed": shard.rows_done} for shard in shards
        ],
        "gap_free": sound,
        "disjoint": sound,
        "sweeps": max((shard.round for shard in shards), default=0),
        "quarantined": quarantined,
    }
