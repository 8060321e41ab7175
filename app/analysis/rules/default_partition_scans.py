"""A new partition beside a DEFAULT partition."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.partitions import default_excludes
from app.analysis.rule import Hit, Rule, manual
from app.analysis.state import State
from app.analysis.tables import Table
from app.sql.tree import Node


def check(context: Context) -> Iterator[Hit]:
    """Hit where the DEFAULT partition must be read to see that no row belongs to the new one."""
    for parent, bound in _additions(context):
        default = context.state.default_partition(parent.name)
        if default is None or default.is_new or default_excludes(parent, default, bound):
            continue
        level = context.level(default, "scan")
        yield Hit(
            risk="high" if level == "medium" else level,
            message=f"Every row of the DEFAULT partition {default.name} is read under ACCESS EXCLUSIVE; queries of "
            f"{parent.name} wait "
            f"({context.size(default, 'scan')}).",
            safer="-- a CHECK on the DEFAULT partition that excludes the new bound: NOT VALID, then VALIDATE, then this "
            "statement",
        )


def _additions(context: Context) -> Iterator[tuple[Table, Node | None]]:
    state: State = context.state
    for table, command in context.commands("AT_AttachPartition"):
        yield table, command["def"]["PartitionCmd"].get("bound")
    if context.kind == "CreateStmt" and "partbound" in context.body:
        for parent in context.body.get("inhRelations", ()):
            yield state.table_of(parent["RangeVar"]), context.body["partbound"]


RULE = Rule(
    id="default-partition-scans",
    title="A new partition scans the DEFAULT partition",
    why="PostgreSQL must see that no row of the DEFAULT partition belongs to the new one. It holds ACCESS EXCLUSIVE on it, and "
    "queries of the parent wait, because they are planned over it.",
    source=manual("ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE"),
    level="high",
    bad="CREATE TABLE tenants_9 PARTITION OF tenants FOR VALUES IN (99);",
    good="CREATE TABLE events_may PARTITION OF events FOR VALUES FROM ('2026-05-01') TO ('2026-06-01');",
    check=check,
)
