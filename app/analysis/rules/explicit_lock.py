"""LOCK TABLE."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.lock_levels import MODES, blocks


def check(context: Context) -> Iterator[Hit]:
    """Hit for an explicit lock that blocks writes or more."""
    if context.kind != "LockStmt":
        return
    mode = MODES[int(context.body.get("mode", 8)) - 1]
    for relation in context.body.get("relations", ()):
        table = context.state.table_of(relation["RangeVar"])
        if not table.is_new and blocks(mode):
            yield Hit(
                risk="medium",
                message=f"{table.name} is locked ({mode}) until the transaction ends: {' and '.join(blocks(mode))} wait.",
                safer="-- leave it out: each statement takes the lock that it needs",
            )


RULE = Rule(
    id="explicit-lock",
    title="An explicit lock is held until the transaction ends",
    why="LOCK TABLE keeps others out for everything that follows in the transaction, whether it needs that or not.",
    source=manual("sql-lock.html"),
    level="medium",
    bad="BEGIN;\nLOCK TABLE users;\nCOMMIT;",
    good="BEGIN;\nLOCK TABLE users IN ACCESS SHARE MODE;\nCOMMIT;",
    check=check,
)
