"""ADD COLUMN ... GENERATED ALWAYS AS (...) STORED."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each stored generated column on a table that others use."""
    for table, definition, constraints in context.added_columns():
        for constraint in constraints:
            if constraint.get("contype") == "CONSTR_GENERATED" and constraint.get("generated_kind") != "v":
                yield Hit(
                    risk=context.level(table, "rewrite"),
                    message=f"{definition['colname']} is computed and stored for every row of {table.name}, which rewrites it "
                    f"({context.size(table, 'rewrite')}).",
                    safer="-- PostgreSQL 18: GENERATED ALWAYS AS (...) VIRTUAL costs nothing; before: a plain column, a "
                    "trigger that\n"
                    "-- fills it for new rows, and a backfill step for the old ones",
                    location=constraint.get("location"),
                )


RULE = Rule(
    id="stored-generated-rewrites",
    title="A stored generated column rewrites the table",
    why="The value is computed and stored for every row: the whole table is written anew under ACCESS EXCLUSIVE.",
    source=manual("ddl-generated-columns.html"),
    level="high",
    bad="ALTER TABLE users ADD COLUMN doubled int GENERATED ALWAYS AS (age * 2) STORED;",
    good="ALTER TABLE users ADD COLUMN doubled int GENERATED ALWAYS AS (age * 2) VIRTUAL;",
    check=check,
)
