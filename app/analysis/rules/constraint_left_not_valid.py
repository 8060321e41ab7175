"""A constraint that the input adds NOT VALID and never validates."""

from collections.abc import Iterator

from app.analysis.advance_tables import constraint_from
from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit where no later statement of the input validates the constraint."""
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        if not constraint.get("skip_validation") or (
            constraint.get("contype") in {"CONSTR_CHECK", "CONSTR_FOREIGN"} and not constraint.get("is_enforced")
        ):
            continue
        facts = constraint_from(context.state, table, constraint)
        if facts and facts.name not in context.settled_later:
            yield Hit(
                risk="low",
                message=f"{facts.name} stays NOT VALID: nothing in this input validates it.",
                safer=f"ALTER TABLE {table.name} VALIDATE CONSTRAINT {facts.name};",
                location=constraint.get("location"),
            )


RULE = Rule(
    id="constraint-left-not-valid",
    title="A constraint is left NOT VALID",
    why="It holds for new rows only, and the planner does not rely on it, until VALIDATE CONSTRAINT has seen the old ones.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-DESC-VALIDATE-CONSTRAINT"),
    level="low",
    bad="ALTER TABLE users ADD CONSTRAINT age_ok CHECK (age >= 0) NOT VALID;",
    good="ALTER TABLE users ADD CONSTRAINT age_ok CHECK (age >= 0) NOT VALID;\nALTER TABLE users VALIDATE CONSTRAINT age_ok;",
    check=check,
)
