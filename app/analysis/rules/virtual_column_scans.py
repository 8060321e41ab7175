"""ADD COLUMN ... VIRTUAL NOT NULL."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each virtual generated column that is NOT NULL."""
    for table, definition, constraints in context.added_columns():
        kinds = {constraint.get("contype") for constraint in constraints}
        if any(constraint.get("generated_kind") == "v" for constraint in constraints) and "CONSTR_NOTNULL" in kinds:
            yield Hit(
                risk=context.level(table, "scan"),
                message=f"{definition['colname']} is computed for every row of {table.name} to see that none is NULL "
                f"({context.size(table, 'scan')}).",
                safer="-- add the column without NOT NULL; a CHECK (... IS NOT NULL) NOT VALID and VALIDATE do the rest",
                location=definition.get("location"),
            )


RULE = Rule(
    id="virtual-column-scans",
    title="NOT NULL on a virtual column scans the table",
    why="A virtual column stores nothing, but NOT NULL makes PostgreSQL compute it for every row under ACCESS EXCLUSIVE.",
    source=manual("ddl-generated-columns.html"),
    level="medium",
    bad="ALTER TABLE users ADD COLUMN doubled int GENERATED ALWAYS AS (age * 2) VIRTUAL NOT NULL;",
    good="ALTER TABLE users ADD COLUMN doubled int GENERATED ALWAYS AS (age * 2) VIRTUAL;",
    check=check,
)
