"""REINDEX without CONCURRENTLY."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.tree import option


def check(context: Context) -> Iterator[Hit]:
    """Hit for a rebuild that blocks a table that others use."""
    if context.kind != "ReindexStmt" or option(context.body.get("params"), "concurrently"):
        return
    tables = [context.state.table(name) for name in context.footprint.builds]
    if tables and all(table.is_new for table in tables):
        return
    levels = [context.level(table, "build") for table in tables] or ["high"]
    what = ", ".join(table.name for table in tables) or str(context.body.get("name", "everything"))
    yield Hit(
        risk=max(levels, key=("low", "medium", "unknown", "high").index),
        message=f"Writes to {what} wait for the rebuild, and so do reads that might use the index.",
        safer="-- outside a transaction:\nREINDEX INDEX CONCURRENTLY ...;",
    )


RULE = Rule(
    id="reindex-blocks",
    title="REINDEX blocks writes, and reads that would plan with the index",
    why="The table is held with SHARE and each index with ACCESS EXCLUSIVE, which stops every query that looks at the index "
    "while "
    "it is planned (measured).",
    source=manual("sql-reindex.html"),
    level="high",
    bad="REINDEX TABLE users;",
    good="REINDEX TABLE CONCURRENTLY users;",
    check=check,
)
