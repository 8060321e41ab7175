"""DELETE that takes rows of other tables along."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.predicates import touches_few_rows
from app.analysis.rule import Hit, Rule, manual

_DEEPEST = 20


def check(context: Context) -> Iterator[Hit]:
    """Hit where foreign keys of other tables say ON DELETE CASCADE, SET NULL or SET DEFAULT, and of theirs."""
    if context.kind != "DeleteStmt":
        return
    table = context.state.table_of(context.body["relation"])
    if table.is_new or table.is_empty:
        return
    reached = [name for name in _reached(context, table.name) if not context.state.table(name).is_new]
    if reached:
        few = touches_few_rows(context)
        yield Hit(
            risk="low" if few else "high",
            message=f"Rows of {', '.join(reached)} are deleted or changed with those of {table.name}, in the same transaction.",
        )


def _reached(context: Context, name: str) -> list[str]:
    found: list[str] = []
    pending = [name]
    while pending and len(found) < _DEEPEST:
        for child, constraint in context.state.referencing(pending.pop(0)):
            if constraint.cascades and child.name not in found and child.name != name:
                found.append(child.name)
                pending.append(child.name)
    return found


RULE = Rule(
    id="delete-takes-others",
    title="A DELETE reaches further tables through their foreign keys",
    why="ON DELETE CASCADE, SET NULL and SET DEFAULT change as many rows as reference the deleted ones, table after "
    "table; the number "
    "that DELETE reports says nothing of them, and a rollback by hand has to know them all.",
    source=manual("ddl-constraints.html#DDL-CONSTRAINTS-FK"),
    level="high",
    bad="DELETE FROM users WHERE status = 'old';",
    good="DELETE FROM orders WHERE id = 5;",
    check=check,
    needs_target="a foreign key says ON DELETE CASCADE",
)
