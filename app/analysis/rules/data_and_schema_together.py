"""DDL and data changes in one transaction."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for a schema change after a bulk change in the same transaction."""
    transaction = context.state.transaction
    if transaction is None or not context.effect.is_ddl:
        return
    written = transaction.written
    for lock in context.footprint.locks:
        if lock.relation in written and "reads" in lock.blocks and not context.is_small(context.state.table(lock.relation)):
            yield Hit(
                risk="medium",
                message=f"{lock.relation} was changed in this transaction and is locked now as well: its row locks and the "
                f"{lock.mode} end together.",
                safer="-- COMMIT between the data change and the schema change",
            )
            return


RULE = Rule(
    id="data-and-schema-together",
    title="Data and schema change in one transaction",
    why="The transaction lasts as long as the data change, and keeps the locks of the schema change for all of it.",
    source=manual("explicit-locking.html#LOCKING-TABLES"),
    level="medium",
    bad="BEGIN;\nUPDATE users SET status = 'x' WHERE age > 5;\nALTER TABLE users ADD COLUMN extra text;\nCOMMIT;",
    good="UPDATE users SET status = 'x' WHERE id = 5;\nALTER TABLE users ADD COLUMN extra text;",
    check=check,
)
