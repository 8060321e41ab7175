"""ALTER TYPE ... ADD VALUE."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import from_strings


def check(context: Context) -> Iterator[Hit]:
    """Hit for each new value of an enum that others use."""
    if context.kind == "AlterEnumStmt" and "oldVal" not in context.body:
        name = from_strings(context.body.get("typeName", ()))
        if name not in context.state.new_types:
            yield Hit(risk="low", message=f"'{context.body.get('newVal')}' stays in {name} for ever: a value can't be removed.")


RULE = Rule(
    id="enum-value-stays",
    title="An enum value can't be removed",
    why="Adding it is instant and blocks nobody, but only a new type without the value would get rid of it.",
    source=manual("sql-altertype.html"),
    level="low",
    bad="ALTER TYPE order_state ADD VALUE 'lost';",
    good=None,
    check=check,
)
