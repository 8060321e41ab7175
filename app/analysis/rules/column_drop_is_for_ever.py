"""DROP COLUMN."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.analysis.safer import drop_column


def check(context: Context) -> Iterator[Hit]:
    """Hit for each column that goes from a table that others use."""
    for table, command in context.commands("AT_DropColumn"):
        name = str(command.get("name"))
        column = table.columns.get(name)
        if column.is_new if column else command.get("missing_ok") and table.is_known:
            continue
        users = [f"{kind} {dependent}" for kind, dependent, columns in table.dependents if name in columns]
        used = f" It is used by {', '.join(users)}." if users else ""
        yield Hit(
            risk="high",
            message=f"Running code that names {table.name}.{name} breaks, and its data is gone.{used}",
            safer=drop_column(table, name),
        )


RULE = Rule(
    id="column-drop-is-for-ever",
    title="Dropping a column loses its data",
    why="The column goes at once, for every session: code that still selects or writes it fails, and no rollback brings the "
    "values back except a restore.",
    source=manual("sql-altertable.html"),
    level="high",
    bad="ALTER TABLE users DROP COLUMN nickname;",
    good="ALTER TABLE users ALTER COLUMN nickname DROP NOT NULL;",
    check=check,
)
