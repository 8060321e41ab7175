"""SET EXPRESSION."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each new expression of a stored generated column."""
    for table, command in context.commands("AT_SetExpression"):
        column = table.columns.get(str(command.get("name")))
        if column is None or column.generated != "virtual":
            yield Hit(
                risk=context.level(table, "rewrite"),
                message=f"The new expression of {command.get('name')} is computed for every row: {table.name} is rewritten "
                f"({context.size(table, 'rewrite')}).",
                safer="-- a new column beside it, filled in batches, then swap the names",
            )


RULE = Rule(
    id="expression-change-rewrites",
    title="A new expression of a generated column rewrites the table",
    why="Every stored value is computed again: the whole table is written anew under ACCESS EXCLUSIVE.",
    source=manual("sql-altertable.html"),
    level="high",
    bad="ALTER TABLE users ALTER COLUMN doubled SET EXPRESSION AS (age * 3);",
    good=None,
    check=check,
)
