"""ALTER TYPE of a composite type."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each change of a composite type's attributes."""
    if context.kind == "AlterTableStmt" and context.body.get("objtype") == "OBJECT_TYPE":
        subtypes = {command["AlterTableCmd"].get("subtype") for command in context.body.get("cmds", ())}
        name = str(context.body["relation"].get("relname"))
        if name in context.state.new_types:
            return
        only_adds = subtypes <= {"AT_AddColumn"}
        yield Hit(
            risk="medium" if only_adds else "high",
            message=f"Queries that use the type {name} wait, and code that expects its old shape breaks.",
        )


RULE = Rule(
    id="composite-type-change",
    title="Changing a composite type blocks its users",
    why="Queries that open the type wait for the change, and clients that read or write its values know the old attributes only.",
    source=manual("sql-altertype.html"),
    level="medium",
    bad="ALTER TYPE address ADD ATTRIBUTE country text;",
    good=None,
    check=check,
)
