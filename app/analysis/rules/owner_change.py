"""Owner and rights."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit where an owner changes or a right is taken away."""
    for table, _ in context.commands("AT_ChangeOwner"):
        yield Hit(risk="low", message=f"{table.name} has another owner from now on; ACCESS EXCLUSIVE, shortly.")
    if context.kind == "ReassignOwnedStmt":
        yield Hit(
            risk="medium",
            message="Everything that the role owns has another owner from now on; each of its tables is locked with ACCESS "
            "EXCLUSIVE until the transaction ends.",
            safer="-- ALTER TABLE ... OWNER TO, one table per transaction",
        )
    if context.kind == "GrantStmt" and not context.body.get("is_grant"):
        yield Hit(risk="low", message="Statements of roles that lose the right fail at once.")


RULE = Rule(
    id="owner-change",
    title="Rights change at once",
    why="A revoked right makes running code fail with the next statement; a new owner passes row security and may drop the "
    "table.",
    source=manual("sql-revoke.html"),
    level="low",
    bad="REVOKE SELECT ON users FROM application;",
    good="GRANT SELECT ON users TO application;",
    check=check,
)
