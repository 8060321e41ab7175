"""BEGIN without an end."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for a BEGIN that nothing ends, and for BEGIN or COMMIT where the engine owns the transaction."""
    if context.kind != "TransactionStmt":
        return
    kind = str(context.body.get("kind", "TRANS_STMT_BEGIN")).removeprefix("TRANS_STMT_")
    if kind in {"BEGIN", "START"} and not context.ends_later:
        yield Hit(
            risk="high",
            message="Nothing ends this transaction: its locks are held until the session ends, and then all of it is undone.",
            safer="COMMIT;",
        )


RULE = Rule(
    id="transaction-left-open",
    title="A transaction is never ended",
    why="When the session ends, PostgreSQL rolls an open transaction back: the migration has done nothing.",
    source=manual("sql-begin.html"),
    level="high",
    bad="BEGIN;\nALTER TABLE users ADD COLUMN extra text;",
    good="BEGIN;\nALTER TABLE users ADD COLUMN extra text;\nCOMMIT;",
    check=check,
)
