"""ADD COLUMN with a CHECK of its own."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.footprint_columns import enforced_checks
from app.analysis.rule import Hit, Rule, manual
from app.analysis.safer import constraint as not_valid
from app.analysis.safer import short


def check(context: Context) -> Iterator[Hit]:
    """Hit for each new column with an inline CHECK."""
    for table, definition, _ in context.added_columns():
        for constraint in enforced_checks(definition):
            name = definition["colname"]
            yield Hit(
                risk=context.level(table, "scan"),
                message=f"The CHECK of the new column {name} reads every row of {table.name} under ACCESS EXCLUSIVE "
                f"({context.size(table, 'scan')}).",
                safer="-- add the column alone, then:\n" + not_valid(table, f"{short(table)}_{name}_check", "CHECK (...)"),
                location=constraint.get("location"),
            )


RULE = Rule(
    id="inline-check-scans",
    title="A CHECK on a new column scans the table",
    why="Although every row has the same value in the new column, PostgreSQL reads them all to check it, and holds ACCESS "
    "EXCLUSIVE while it does (measured).",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-NOTES"),
    level="medium",
    bad="ALTER TABLE users ADD COLUMN score int CHECK (score >= 0);",
    good="ALTER TABLE users ADD COLUMN score int;\n"
    "ALTER TABLE users ADD CONSTRAINT users_score_check CHECK (score >= 0) NOT VALID;",
    check=check,
)
