"""CREATE INDEX CONCURRENTLY on a partitioned table."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import quote_qualified


def check(context: Context) -> Iterator[Hit]:
    """Hit where the table is known to be partitioned."""
    if context.kind == "IndexStmt" and context.body.get("concurrent"):
        table = context.state.table_of(context.body["relation"])
        if table.is_partitioned:
            yield Hit(
                risk="high",
                message=f"{table.name} is partitioned: CREATE INDEX CONCURRENTLY fails (0A000).",
                safer=f"CREATE INDEX ... ON ONLY {quote_qualified(table.name)} (...);\n"
                "-- then CREATE INDEX CONCURRENTLY on each partition, and ALTER INDEX ... ATTACH PARTITION ...;",
            )


RULE = Rule(
    id="concurrently-on-partitioned",
    title="CONCURRENTLY is not possible on a partitioned table",
    why="PostgreSQL can't build an index on all partitions concurrently in one statement.",
    source=manual("sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY"),
    level="high",
    bad="CREATE INDEX CONCURRENTLY events_kind_idx ON events (kind);",
    good="CREATE INDEX events_kind_idx ON ONLY events (kind);",
    check=check,
)
