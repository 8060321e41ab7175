"""CREATE TABLE with a foreign key to a table that others use."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.tree import find


def check(context: Context) -> Iterator[Hit]:
    """Hit for each foreign key of a new table to one that others use."""
    if context.kind != "CreateStmt":
        return
    for constraint in find(context.body, "Constraint"):
        if "pktable" in constraint and not context.state.table_of(constraint["pktable"]).is_new:
            if constraint["pktable"].get("relname") == context.body["relation"].get("relname"):
                continue
            yield Hit(
                risk="low",
                message=f"Writes to {context.state.table_of(constraint['pktable']).name} wait until the transaction ends, "
                f"shortly.",
                location=constraint.get("location"),
            )


RULE = Rule(
    id="new-table-locks-parent",
    title="A new table's foreign key locks the referenced table",
    why="The triggers of the key are created on both tables, which takes SHARE ROW EXCLUSIVE on the referenced one.",
    source=manual("sql-createtable.html"),
    level="low",
    bad="CREATE TABLE notes (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));",
    good="CREATE TABLE notes (id bigint PRIMARY KEY, user_id bigint);",
    check=check,
)
