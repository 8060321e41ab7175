"""ATTACH PARTITION without a proof."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.partitions import attach_is_proven
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import quote_qualified


def check(context: Context) -> Iterator[Hit]:
    """Hit where attaching reads the new partition, checks its foreign keys or builds its indexes."""
    for table, command in context.commands("AT_AttachPartition"):
        partition = command["def"]["PartitionCmd"]
        child = context.state.table_of(partition["name"])
        if child.is_new or child.is_empty:
            continue
        work = []
        if not attach_is_proven(context.state, table, child, partition.get("bound")):
            work.append("reads every row to see that it fits")
        elif child.name in context.footprint.scans:
            work.append("checks the foreign keys or builds the indexes that the parent has and it lacks")
        if work:
            yield Hit(
                risk="medium" if context.level(child, "scan") != "low" else "low",
                message=f"ATTACH {work[0]}, under ACCESS EXCLUSIVE on {child.name} ({context.size(child, 'scan')}).",
                safer=f"ALTER TABLE {quote_qualified(child.name)} ADD CONSTRAINT fits CHECK (...the bound...) NOT VALID;\n"
                f"ALTER TABLE {quote_qualified(child.name)} VALIDATE CONSTRAINT fits;\n"
                "-- build the parent's indexes CONCURRENTLY on it, then ATTACH PARTITION, then drop the CHECK",
            )


RULE = Rule(
    id="attach-scans",
    title="ATTACH PARTITION scans the new partition",
    why="Unless a valid CHECK proves that every row fits the bound (and NOT NULL holds for a range key), all rows are read under "
    "ACCESS EXCLUSIVE on the new partition; missing indexes are built and foreign keys checked, too.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-DESC-ATTACH-PARTITION"),
    level="medium",
    bad="ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');",
    good="CREATE TABLE events_next (LIKE events);\n"
    "ALTER TABLE events ATTACH PARTITION events_next FOR VALUES FROM ('2026-05-01') TO ('2026-06-01');",
    check=check,
)
