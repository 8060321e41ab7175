"""ALTER COLUMN TYPE."""

from collections.abc import Iterator

from app.analysis.advance_tables import column_type
from app.analysis.column_types import change_of
from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.analysis.safer import type_change


def check(context: Context) -> Iterator[Hit]:
    """Hit for each change of type that rewrites the table, or whose old type is not known."""
    for table, command in context.commands("AT_AlterColumnType"):
        name, new = str(command.get("name")), column_type(command["def"]["ColumnDef"]) or ""
        change = change_of(context.state, table, command, is_utc=context.options.is_utc)
        if change.work == "nothing":
            if not context.footprint.builds and not context.footprint.scans:
                yield Hit(risk="low", message=f"{table.name}.{name} becomes {new} without a rewrite: {change.reason}.")
            continue
        level = context.level(table, "rewrite")
        narrows = " Values may not fit." if change.narrows else ""
        sure = "is rewritten" if change.work == "rewrite" else "is rewritten, unless the types are stored alike"
        yield Hit(
            # clients see another type in any case
            risk="medium" if level == "low" and not table.is_empty else level,
            message=f"{table.name} {sure}: {change.reason} ({context.size(table, 'rewrite')}).{narrows}",
            safer=type_change(table, name, new),
        )


RULE = Rule(
    id="type-change-rewrites",
    title="Changing a column's type rewrites the table and its indexes",
    why="Unless both types are stored alike, every row and every index is written anew under ACCESS EXCLUSIVE: nobody can read "
    "or write the table meanwhile.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-NOTES"),
    level="high",
    bad="ALTER TABLE users ALTER COLUMN age TYPE bigint;",
    good="ALTER TABLE users ALTER COLUMN nickname TYPE text;",
    check=check,
)
