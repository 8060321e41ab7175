"""DETACH PARTITION without CONCURRENTLY, and CONCURRENTLY where it can't be."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for a detach that locks the whole partitioned table."""
    for table, command in context.commands("AT_DetachPartition"):
        child = context.state.table_of(command["def"]["PartitionCmd"]["name"])
        if command["def"]["PartitionCmd"].get("concurrent"):
            default = context.state.default_partition(table.name)
            if default is not None:
                yield Hit(
                    risk="high",
                    message=f"{table.name} has the DEFAULT partition {default.name}: DETACH ... CONCURRENTLY fails (55000).",
                )
        elif not child.is_new:
            yield Hit(
                risk="medium",
                message=f"Queries of {table.name} and all its partitions wait (ACCESS EXCLUSIVE), and queue behind long "
                "transactions.",
                safer=f"-- outside a transaction:\nALTER TABLE {table.name} DETACH PARTITION {child.name} CONCURRENTLY;",
            )


RULE = Rule(
    id="detach-blocks",
    title="DETACH PARTITION locks the whole partitioned table",
    why="Without CONCURRENTLY the parent is held with ACCESS EXCLUSIVE: queries of every partition wait. CONCURRENTLY takes "
    "SHARE "
    "UPDATE EXCLUSIVE, outside a transaction, and not where there is a DEFAULT partition.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-DESC-DETACH-PARTITION"),
    level="medium",
    bad="ALTER TABLE events DETACH PARTITION events_2026_01;",
    good="ALTER TABLE events DETACH PARTITION events_2026_01 CONCURRENTLY;",
    check=check,
)
