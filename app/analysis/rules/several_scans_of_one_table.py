"""Several ALTER TABLEs that each scan the same table."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.tree import commands


def check(context: Context) -> Iterator[Hit]:
    """Hit where the next statement alters the same table and scans it as well."""
    table = context.altered()
    if table is None or table.name not in context.footprint.scans or not context.later:
        return
    following = context.later[0]
    if following.kind != "AlterTableStmt" or "relation" not in following.body:
        return
    scanning = {"AT_SetNotNull", "AT_AlterColumnType", "AT_AddConstraint"}
    same = context.state.table_of(following.body["relation"]).name == table.name
    validates = any(command.get("subtype") == "AT_ValidateConstraint" for command in commands(context.body))
    if same and not validates and any(command.get("subtype") in scanning for command in commands(following.body)):
        yield Hit(
            risk="low",
            message=f"{table.name} is read once more by the next statement: one ALTER TABLE with both commands reads it once.",
        )


RULE = Rule(
    id="several-scans-of-one-table",
    title="Two statements read the table twice",
    why="ALTER TABLE takes several commands and checks them all in one pass over the table.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-NOTES"),
    level="low",
    bad="ALTER TABLE users ALTER COLUMN email SET NOT NULL;\nALTER TABLE users ALTER COLUMN nickname SET NOT NULL;",
    good="ALTER TABLE users ALTER COLUMN email SET NOT NULL, ALTER COLUMN nickname SET NOT NULL;",
    check=check,
)
