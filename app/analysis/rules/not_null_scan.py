"""SET NOT NULL without a proof."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.footprint_alter import not_null_is_proven
from app.analysis.rule import Hit, Rule, manual
from app.analysis.safer import not_null
from app.sql.tree import commands


def check(context: Context) -> Iterator[Hit]:
    """Hit for each SET NOT NULL (or validated NOT NULL constraint) that must read the table."""
    for table, command in context.commands("AT_SetNotNull"):
        name = str(command.get("name"))
        if not_null_is_proven(table, command, context.body, version=context.options.server_version):
            continue
        dropped_here = table.proves_not_null(name)
        validated_here = any(other.get("subtype") == "AT_ValidateConstraint" for other in commands(context.body))
        note = " The proof is dropped by the same ALTER TABLE, before it is used." if dropped_here else ""
        note = note or (" A constraint that the same ALTER TABLE validates is no proof yet." if validated_here else "")
        yield Hit(
            risk=context.level(table, "scan"),
            message=f"SET NOT NULL on {name} reads every row of {table.name} under ACCESS EXCLUSIVE "
            f"({context.size(table, 'scan')}).{note}",
            safer="-- split it: SET NOT NULL first, DROP CONSTRAINT in a second ALTER TABLE"
            if dropped_here
            else not_null(table, name, context.options.server_version),
        )
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        columns = [node["String"]["sval"] for node in constraint.get("keys", ())]
        if constraint.get("contype") != "CONSTR_NOTNULL" or constraint.get("skip_validation"):
            continue
        if not all(table.proves_not_null(name) for name in columns):
            yield Hit(
                risk=context.level(table, "scan"),
                message=f"The NOT NULL constraint on {', '.join(columns)} reads every row of {table.name} under ACCESS EXCLUSIVE "
                f"({context.size(table, 'scan')}).",
                safer=not_null(table, columns[0], context.options.server_version) if columns else None,
            )


RULE = Rule(
    id="not-null-scan",
    title="SET NOT NULL reads the whole table while everybody waits",
    why="PostgreSQL must see that no row holds NULL, and holds ACCESS EXCLUSIVE while it looks, unless a valid CHECK (c IS NOT "
    "NULL) proves it already. The proof must be valid before the statement and must not be dropped by it.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DROP-NOT-NULL"),
    level="medium",
    bad="ALTER TABLE users ALTER COLUMN email SET NOT NULL;",
    good="ALTER TABLE users ADD CONSTRAINT email_there CHECK (email IS NOT NULL) NOT VALID;\n"
    "ALTER TABLE users VALIDATE CONSTRAINT email_there;\nALTER TABLE users ALTER COLUMN email SET NOT NULL;",
    check=check,
)
