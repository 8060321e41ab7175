"""INSERT ... SELECT and CREATE TABLE AS over a table that others use."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.predicates import is_narrow
from app.analysis.rule import Hit, Rule, manual
from app.sql.relations import in_order
from app.sql.tree import constant


def check(context: Context) -> Iterator[Hit]:
    """Hit where a whole table is read and written in one snapshot."""
    select = None
    if context.kind == "InsertStmt":
        select = context.body.get("selectStmt", {}).get("SelectStmt")
    elif context.kind == "CreateTableAsStmt":
        select = context.body.get("query", {}).get("SelectStmt")
    elif context.kind == "SelectStmt" and "intoClause" in context.body:
        select = {name: value for name, value in context.body.items() if name != "intoClause"}
    if not select or "valuesLists" in select or context.body.get("into", {}).get("skipData"):
        return
    if isinstance(constant(select.get("limitCount")), int):
        return
    sources = [context.state.table(name) for name in in_order({"from": select.get("fromClause", [])})]
    large = [table for table in sources if not context.is_small(table) and table.kind != "view"]
    if len(large) == 1 and is_narrow(select.get("whereClause"), large[0]):
        return
    if large:
        yield Hit(
            risk=min(context.level(large[0], "bulk", "nothing"), "medium", key=("low", "medium", "high", "unknown").index),
            message=f"{', '.join(table.name for table in large)} is copied in one statement ({context.size(large[0])}): one long "
            "snapshot, and as much WAL.",
            safer="-- a backfill step that copies in batches along the key",
        )


RULE = Rule(
    id="copies-whole-table",
    title="A whole table is copied in one statement",
    why="One long statement keeps its snapshot open, which holds back vacuum everywhere, and floods replicas with WAL; if it "
    "fails, all of it was for nothing.",
    source=manual("routine-vacuuming.html"),
    level="medium",
    bad="INSERT INTO log (id) SELECT id FROM orders;",
    good="INSERT INTO log (id) VALUES (1), (2);",
    check=check,
)
