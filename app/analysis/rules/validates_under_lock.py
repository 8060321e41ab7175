"""VALIDATE CONSTRAINT beside a command that needs a stronger lock."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.lock_levels import MODES, alter_table_command_mode
from app.sql.names import quote_identifier, quote_qualified
from app.sql.tree import commands


def check(context: Context) -> Iterator[Hit]:
    """Hit where another command of the same ALTER TABLE holds a blocking lock during the scan."""
    for table, command in context.commands("AT_ValidateConstraint"):
        strongest = max((alter_table_command_mode(other) for other in commands(context.body)), key=MODES.index)
        if MODES.index(strongest) >= MODES.index("SHARE"):
            name = str(command.get("name"))
            yield Hit(
                risk=context.level(table, "scan"),
                message=f"{name} is validated while the same ALTER TABLE holds {strongest} on {table.name} "
                f"({context.size(table, 'scan')}).",
                safer="-- the other commands first; then, in its own transaction:\n"
                f"ALTER TABLE {quote_qualified(table.name)} VALIDATE CONSTRAINT {quote_identifier(name)};",
            )


RULE = Rule(
    id="validates-under-lock",
    title="VALIDATE CONSTRAINT beside a stronger command blocks others for the whole scan",
    why="Alone it takes SHARE UPDATE EXCLUSIVE, which nobody notices. In one ALTER TABLE with other commands the strongest lock "
    "counts for all of them.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-DESC-VALIDATE-CONSTRAINT"),
    level="medium",
    bad="ALTER TABLE users ADD COLUMN extra text, VALIDATE CONSTRAINT age_positive;",
    good="ALTER TABLE users VALIDATE CONSTRAINT age_positive;",
    check=check,
)
