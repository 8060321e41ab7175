"""Statements on a table that lock the tables it references."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.lock_levels import blocks


def check(context: Context) -> Iterator[Hit]:
    """Hit where dropping a foreign key, its column or its table locks the referenced table too."""
    is_alter = context.kind == "AlterTableStmt" and context.altered() is not None
    if not is_alter and not any(context.dropped("OBJECT_TABLE")):
        return
    named = {context.state.qualify(name) for name in context.effect.relations}
    for lock in context.footprint.locks:
        other = context.state.table(lock.relation)
        if lock.mode == "ACCESS EXCLUSIVE" and other.name not in named and not other.is_new and not other.partition_bound:
            yield Hit(
                risk="low",
                message=f"{other.name} is locked too ({lock.mode}): its {' and '.join(blocks('ACCESS EXCLUSIVE'))} wait, "
                f"shortly.",
                safer="-- a step of its own under lock_timeout: ALTER TABLE ... DROP CONSTRAINT of the foreign key",
            )


RULE = Rule(
    id="parent-locked-too",
    title="Dropping a foreign key, its column or its table locks the referenced table too",
    why="The triggers that enforce a foreign key live on both tables, so both are locked with ACCESS EXCLUSIVE. It is "
    "short, but it "
    "queues behind long transactions on the other table, and everybody else queues behind it.",
    source=manual("sql-altertable.html"),
    level="low",
    bad="ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey;",
    good=None,
    check=check,
)
