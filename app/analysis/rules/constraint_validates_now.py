"""ADD CONSTRAINT ... CHECK that is validated on the spot."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.analysis.safer import constraint as not_valid
from app.analysis.safer import short


def check(context: Context) -> Iterator[Hit]:
    """Hit for each CHECK that is added without NOT VALID."""
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        is_checked = constraint.get("contype") == "CONSTR_CHECK" and constraint.get("is_enforced")
        if is_checked and not constraint.get("skip_validation"):
            name = str(constraint.get("conname") or f"{short(table)}_check")
            yield Hit(
                risk=context.level(table, "scan"),
                message=f"The CHECK {name} reads every row of {table.name} under ACCESS EXCLUSIVE "
                f"({context.size(table, 'scan')}).",
                safer=not_valid(table, name, "CHECK (...)"),
                location=constraint.get("location"),
            )


RULE = Rule(
    id="constraint-validates-now",
    title="A CHECK that is validated on the spot blocks reads and writes",
    why="Every row is read while ACCESS EXCLUSIVE is held. NOT VALID checks new rows only; VALIDATE CONSTRAINT reads the "
    "old ones "
    "later, while reads and writes go on.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-NOTES"),
    level="medium",
    bad="ALTER TABLE users ADD CONSTRAINT age_ok CHECK (age >= 0);",
    good="ALTER TABLE users ADD CONSTRAINT age_ok CHECK (age >= 0) NOT VALID;\nALTER TABLE users VALIDATE CONSTRAINT age_ok;",
    check=check,
)
