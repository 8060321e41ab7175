"""DROP NOT NULL."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each DROP NOT NULL."""
    for table, command in context.commands("AT_DropNotNull"):
        yield Hit(risk="low", message=f"Readers of {table.name}.{command.get('name')} may meet NULL from now on.")


RULE = Rule(
    id="null-appears",
    title="Readers may meet NULL",
    why="Code that was written for a NOT NULL column may not expect NULL; the statement itself is short.",
    source=manual("sql-altertable.html"),
    level="low",
    bad="ALTER TABLE users ALTER COLUMN email DROP NOT NULL;",
    good=None,
    check=check,
)
