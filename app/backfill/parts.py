"""The parts of a table over time: a walk goes on by their OIDs while partitions come, go and are renamed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from app.backfill.definition import BackfillDefinition
from app.backfill.keys import why_not
from app.backfill.prepare import Prepared, read_tables
from app.backfill.shards import Job, Shard
from app.backfill.strategy import Strategy
from app.backfill.table import Table
from app.errors import HeadgateError


class OtherBackfillError(HeadgateError):
    """The checkpoint on the target belongs to another table, SET list or condition."""

    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is there of a job's table now."""

    prepared: Prepared
    #: tables that were there when the job began; their rows are no part of the table any more
    gone: tuple[str, ...] = ()
    #: tables that came since
    new: tuple[Table, ...] = ()

    @property
    def is_convergent(self) -> bool:
        """True where a row that was done is known by it, so that sweeps may look for what is left."""
        return all(strategy.convergent for strategy in self.prepared.strategies)

    def present(self, shards: Sequence[Shard]) -> tuple[Shard, ...]:
        """The shards of the tables that are still there."""
        names = {strategy.relation for strategy in self.prepared.strategies}
        return tuple(shard for shard in shards if shard.relation in names)


def read_parts(connection: psycopg.Connection[Any], definition: BackfillDefinition, job: Job) -> Parts:
    """The tables of a job that was begun, as they are now.

    Raises OtherBackfillError where it can't go on with them.
    """
    if job.digest != definition.digest():
        raise OtherBackfillError(
            "This backfill was begun with another table, SET list, condition or key.",
            hint="A running backfill keeps its text. Make a new step for the new one.",
        )
    root, leaves = read_tables(connection, definition)
    strategies = [Strategy.from_json(content) for content in job.strategies]
    known = [(strategy, _table_of(strategy, leaves)) for strategy in strategies]
    there = [(strategy, table) for strategy, table in known if table is not None]
    gone = tuple(strategy.relation for strategy, table in known if table is None)
    taken = {table.oid for _, table in there}
    if strategies and (not there or (root.kind == "table" and root.oid not in taken)):
        raise OtherBackfillError(
            f"{root.qualified} is another table than the one that this backfill began with.",
            hint="Make a new step for the new table.",
        )
    for strategy, table in there:
        _refuse_lost_key(strategy, table)
    prepared = Prepared(
        root=root, leaves=tuple(table for _, table in there), strategies=tuple(strategy for strategy, _ in there), estimates=()
    )
    return Parts(prepared=prepared, gone=gone, new=tuple(leaf for leaf in leaves if leaf.oid not in taken))


def _table_of(strategy: Strategy, leaves: Sequence[Table]) -> Table | None:
    if strategy.oid:
        return next((leaf for leaf in leaves if leaf.oid == strategy.oid), None)
    return next((leaf for leaf in leaves if leaf.qualified == strategy.relation), None)


def _refuse_lost_key(strategy: Strategy, table: Table) -> None:
    """A walk along a key whose index went, or whose order a new library changed, would miss rows."""
    if strategy.kind != "keyset" or strategy.key is None:
        return
    index = next((index for index in table.indexes if index.name == strategy.key.index), None)
    reason = "the index is gone" if index is None else why_not(table, index)
    if reason is not None:
        raise OtherBackfillError(
            f"{table.qualified} was walked along {strategy.key.index}, which can't be done any more: {reason}.",
            hint="Bring the index back under its name, then retry.",
        )
