"""DROP DEFAULT on a NOT NULL column."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each default that goes from a column that is known to be NOT NULL."""
    for table, command in context.commands("AT_ColumnDefault"):
        column = table.columns.get(str(command.get("name")))
        if "def" not in command and column is not None and column.not_null:
            yield Hit(
                risk="medium",
                message=f"Code that does not name {column.name} can no longer insert into {table.name}: it is NOT NULL and "
                f"loses its "
                "default.",
                safer="-- drop the default after the deploy that names the column in every INSERT",
            )


RULE = Rule(
    id="default-dropped",
    title="A NOT NULL column loses its default",
    why="Running code whose INSERT does not name the column relies on the default; without it the INSERT fails (23502).",
    source=manual("sql-altertable.html"),
    level="medium",
    bad="ALTER TABLE users ALTER COLUMN status DROP DEFAULT;",
    good="ALTER TABLE users ALTER COLUMN status SET DEFAULT 'new';",
    check=check,
)
