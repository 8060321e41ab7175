"""ACCESS EXCLUSIVE on several tables in one transaction."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit where a second table is locked while an earlier statement still holds another."""
    transaction = context.state.transaction
    if transaction is None or context.kind == "LockStmt":
        return
    earlier = {
        lock.relation: lock.statement
        for lock in transaction.held
        if lock.mode == "ACCESS EXCLUSIVE" and not context.is_small(context.state.table(lock.relation))
    }
    for lock in context.footprint.locks:
        table = context.state.table(lock.relation)
        if lock.mode != "ACCESS EXCLUSIVE" or table.is_new or lock.relation in earlier or context.is_small(table):
            continue
        if earlier and not set(earlier) & {*table.parents, *(child.name for child in context.state.children(table.name))}:
            other = next(iter(earlier))
            yield Hit(
                risk="medium",
                message=f"{lock.relation} is locked while {other} (statement {earlier[other]}) still is: an application "
                f"that uses them "
                "in the other order deadlocks.",
                safer="-- one table per transaction",
            )
            return


RULE = Rule(
    id="several-exclusive-locks",
    title="Several tables are locked at once",
    why="While the second lock is waited for, the first table stands still; and an application transaction that touches both in "
    "the other order ends in a deadlock (40P01, measured).",
    source=manual("explicit-locking.html#LOCKING-DEADLOCKS"),
    level="medium",
    bad="BEGIN;\nALTER TABLE orders ADD COLUMN extra text;\nALTER TABLE users ADD COLUMN extra text;\nCOMMIT;",
    good="ALTER TABLE orders ADD COLUMN extra text;\nALTER TABLE users ADD COLUMN extra text;",
    check=check,
)
