"""ADD CONSTRAINT ... EXCLUDE."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each exclusion constraint on a table that others use."""
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        if constraint.get("contype") == "CONSTR_EXCLUSION":
            yield Hit(
                risk=context.level(table, "build"),
                message=f"The exclusion constraint builds its index on {table.name} under ACCESS EXCLUSIVE "
                f"({context.size(table, 'build')}); it can't be NOT VALID.",
                safer="-- a new table with the constraint, filled in batches and kept equal by a trigger, then swap the names",
                location=constraint.get("location"),
            )


RULE = Rule(
    id="exclusion-builds-index",
    title="EXCLUDE can neither be NOT VALID nor use an index built before",
    why="The index is built and every pair of rows is checked under ACCESS EXCLUSIVE: nobody reads or writes the table "
    "meanwhile.",
    source=manual("sql-createtable.html#SQL-CREATETABLE-EXCLUDE"),
    level="high",
    bad="ALTER TABLE bookings ADD CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&);",
    good=None,
    check=check,
)
