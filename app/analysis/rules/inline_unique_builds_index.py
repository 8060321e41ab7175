"""ADD COLUMN ... UNIQUE or PRIMARY KEY."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.analysis.safer import short, unique


def check(context: Context) -> Iterator[Hit]:
    """Hit for each new column that is unique or the primary key."""
    for table, definition, constraints in context.added_columns():
        for constraint in constraints:
            if constraint.get("contype") in {"CONSTR_UNIQUE", "CONSTR_PRIMARY"}:
                name = definition["colname"]
                yield Hit(
                    risk=context.level(table, "build"),
                    message=f"The new column {name} builds a unique index on {table.name} under ACCESS EXCLUSIVE "
                    f"({context.size(table, 'build')}).",
                    safer="-- add the column alone, then:\n" + unique(table, (name,), f"{short(table)}_{name}_key"),
                    location=constraint.get("location"),
                )


RULE = Rule(
    id="inline-unique-builds-index",
    title="UNIQUE on a new column builds its index while everybody waits",
    why="The index is built inside the ALTER TABLE, which holds ACCESS EXCLUSIVE: nobody reads or writes the table meanwhile.",
    source=manual("sql-altertable.html"),
    level="high",
    bad="ALTER TABLE users ADD COLUMN handle text UNIQUE;",
    good="ALTER TABLE users ADD COLUMN handle text;\nCREATE UNIQUE INDEX CONCURRENTLY users_handle_key ON users (handle);",
    check=check,
)
