"""DISABLE TRIGGER, DISABLE RULE."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual

_SUBTYPES = ("AT_DisableTrig", "AT_DisableTrigAll", "AT_DisableTrigUser", "AT_DisableRule")


def check(context: Context) -> Iterator[Hit]:
    """Hit where triggers or rules are switched off."""
    for table, command in context.commands(*_SUBTYPES):
        everything = command.get("subtype") == "AT_DisableTrigAll"
        what = "every trigger, those of foreign keys included," if everything else str(command.get("name") or "user triggers")
        yield Hit(
            risk="high",
            message=f"{what} of {table.name} stops for every session: rows that they would refuse or complete get in.",
            safer="-- SET LOCAL session_replication_role = replica switches them off for this session only",
        )
    if context.kind == "VariableSetStmt" and context.body.get("name") == "session_replication_role":
        values = [argument.get("A_Const", {}).get("sval", {}).get("sval") for argument in context.body.get("args", ())]
        if "replica" in values:
            yield Hit(
                risk="medium",
                message="Triggers and foreign keys are not enforced for what follows in this session.",
            )


RULE = Rule(
    id="trigger-disabled",
    title="Integrity is off while a trigger is disabled",
    why="A disabled trigger is disabled for everybody. What was written meanwhile is not checked later.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-DESC-DISABLE-ENABLE-TRIGGER"),
    level="high",
    bad="ALTER TABLE users DISABLE TRIGGER ALL;",
    good="ALTER TABLE users ENABLE TRIGGER ALL;",
    check=check,
)
