"""TRUNCATE."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each table that others use and that is emptied."""
    if context.kind != "TruncateStmt":
        return
    for relation in context.body.get("relations", ()):
        table = context.state.table_of(relation["RangeVar"])
        if table.is_new:
            continue
        also = [name for name in context.footprint.rewrites if name != table.name]
        cascade = context.body.get("behavior") == "DROP_CASCADE"
        more = f", and by CASCADE {', '.join(also) or 'every table that references it'}" if cascade else ""
        yield Hit(
            risk="high",
            message=f"Every row of {table.name} is gone{more} ({context.size(table)}).",
            safer="-- delete in batches by a backfill step, after a backup",
        )


RULE = Rule(
    id="truncate-empties",
    title="TRUNCATE empties the table",
    why="All rows go at once under ACCESS EXCLUSIVE; with CASCADE those of every referencing table go too.",
    source=manual("sql-truncate.html"),
    level="high",
    bad="TRUNCATE orders;",
    good="CREATE TABLE scratch (id bigint);\nTRUNCATE scratch;",
    check=check,
)
