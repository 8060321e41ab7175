"""ALTER CONSTRAINT ... ENFORCED."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each constraint that becomes enforced."""
    for table, command in context.commands("AT_AlterConstraint"):
        change = command["def"]["ATAlterConstraint"]
        if change.get("alterEnforceability") and change.get("is_enforced"):
            yield Hit(
                risk=context.level(table, "validate"),
                message=f"{change.get('conname')} is checked for every row of {table.name} under ACCESS EXCLUSIVE "
                f"({context.size(table, 'validate')}).",
                safer="-- drop the constraint, add it again NOT VALID, then VALIDATE CONSTRAINT in a transaction of its own",
            )


RULE = Rule(
    id="enforced-validates",
    title="Making a constraint ENFORCED validates it on the spot",
    why="Every row is checked while ACCESS EXCLUSIVE on the table and SHARE ROW EXCLUSIVE on the referenced one are held.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-DESC-ALTER-CONSTRAINT"),
    level="medium",
    bad="ALTER TABLE orders ALTER CONSTRAINT orders_user_id_fkey ENFORCED;",
    good="ALTER TABLE orders ALTER CONSTRAINT orders_user_id_fkey DEFERRABLE;",
    check=check,
)
