"""A new enum value that is used before it is committed."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.tree import find


def check(context: Context) -> Iterator[Hit]:
    """Hit where a label that was added in the open transaction is used."""
    transaction = context.state.transaction
    if transaction is None or not transaction.new_labels or context.kind == "AlterEnumStmt":
        return
    for body in find(context.statement.node, "A_Const"):
        label = body.get("sval", {}).get("sval")
        if label in transaction.new_labels:
            yield Hit(
                risk="high",
                message=f"'{label}' of {transaction.new_labels[label]} was added in this transaction: using it fails (55P04).",
                safer="-- COMMIT after ALTER TYPE ... ADD VALUE, use the value in the next transaction",
                location=body.get("location"),
            )
            return


RULE = Rule(
    id="enum-value-same-transaction",
    title="A new enum value can't be used in the transaction that adds it",
    why="Until the addition is committed, PostgreSQL refuses the value (55P04), unless the type itself was made in the same "
    "transaction.",
    source=manual("sql-altertype.html#SQL-ALTERTYPE-NOTES"),
    level="high",
    bad="BEGIN;\nALTER TYPE order_state ADD VALUE 'lost';\nUPDATE orders SET state = 'lost' WHERE id = 1;\nCOMMIT;",
    good="ALTER TYPE order_state ADD VALUE 'lost';\nUPDATE orders SET state = 'lost' WHERE id = 1;",
    check=check,
)
