"""Row security: who sees which rows."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit where rows appear or disappear for roles."""
    for table, command in context.commands("AT_EnableRowSecurity", "AT_ForceRowSecurity", "AT_DisableRowSecurity"):
        subtype = command.get("subtype")
        if subtype == "AT_DisableRowSecurity":
            yield Hit(risk="high", message=f"Every role with rights on {table.name} sees all its rows from now on.")
        elif table.policies:
            count = len(table.policies)
            yield Hit(
                risk="medium",
                message=f"Only rows that the {count} polic{'y' if count == 1 else 'ies'} of {table.name} allow are seen "
                f"from now on.",
            )
        else:
            yield Hit(
                risk="high",
                message=f"{table.name} has no policy: everybody but its owner sees no rows and can't write, at once.",
                safer="-- CREATE POLICY first, then ENABLE ROW LEVEL SECURITY",
            )
    if context.kind in {"CreatePolicyStmt", "AlterPolicyStmt"} and "table" in context.body:
        table = context.state.table_of(context.body["table"])
        if table.is_new:
            return
        narrows = context.kind == "AlterPolicyStmt" or context.body.get("permissive") is not True
        yield Hit(
            risk="medium" if narrows else "low",
            message=f"Who sees which rows of {table.name} changes.",
        )
    for _, name in context.dropped("OBJECT_POLICY"):
        table = context.state.table(name.rpartition(".")[0])
        if not table.is_new:
            yield Hit(risk="medium" if table.row_security else "low", message=f"Who sees which rows of {table.name} changes.")


RULE = Rule(
    id="row-security",
    title="Rows vanish for everybody but the owner until policies fit",
    why="With row security and no policy, nobody but the owner sees or writes anything: the application goes blank without an "
    "error.",
    source=manual("ddl-rowsecurity.html"),
    level="high",
    bad="ALTER TABLE users ENABLE ROW LEVEL SECURITY;",
    good="CREATE POLICY everybody ON users USING (true);",
    check=check,
)
