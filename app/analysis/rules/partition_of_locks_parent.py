"""CREATE TABLE ... PARTITION OF."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for a partition that is made in place."""
    if context.kind != "CreateStmt" or "partbound" not in context.body:
        return
    for parent in context.body.get("inhRelations", ()):
        table = context.state.table_of(parent["RangeVar"])
        if not table.is_new:
            yield Hit(
                risk="low",
                message=f"{table.name} is locked with ACCESS EXCLUSIVE, shortly; queries queue behind it.",
                safer=f"CREATE TABLE ... (LIKE {table.name} INCLUDING ALL);\nALTER TABLE {table.name} ATTACH PARTITION ...;",
            )


RULE = Rule(
    id="partition-of-locks-parent",
    title="CREATE TABLE ... PARTITION OF locks the parent",
    why="It takes ACCESS EXCLUSIVE on the partitioned table; a table that is made first and attached needs SHARE UPDATE "
    "EXCLUSIVE.",
    source=manual("ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE"),
    level="low",
    bad="CREATE TABLE events_may PARTITION OF events FOR VALUES FROM ('2026-05-01') TO ('2026-06-01');",
    good="CREATE TABLE events_next (LIKE events);",
    check=check,
)
