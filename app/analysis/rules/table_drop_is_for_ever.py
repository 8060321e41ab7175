"""DROP TABLE and other objects that hold or give data."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Risk, Rule, manual
from app.analysis.safer import drop_table
from app.analysis.tables import Table

#: what goes -> its level where others may use it
_LEVELS: dict[str, Risk] = {
    "OBJECT_TABLE": "high",
    "OBJECT_FOREIGN_TABLE": "medium",
    "OBJECT_MATVIEW": "medium",
    "OBJECT_VIEW": "medium",
    "OBJECT_SEQUENCE": "medium",
    "OBJECT_SCHEMA": "high",
    "OBJECT_EXTENSION": "high",
    "OBJECT_TYPE": "medium",
    "OBJECT_DOMAIN": "medium",
    "OBJECT_FUNCTION": "medium",
    "OBJECT_PROCEDURE": "medium",
    "OBJECT_ROUTINE": "medium",
    "OBJECT_AGGREGATE": "medium",
}
_RELATIONS = {"OBJECT_TABLE", "OBJECT_FOREIGN_TABLE", "OBJECT_MATVIEW", "OBJECT_VIEW", "OBJECT_SEQUENCE"}


def check(context: Context) -> Iterator[Hit]:
    """Hit for each object that goes and that the input did not make."""
    if context.kind in {"DropdbStmt", "DropOwnedStmt", "DropTableSpaceStmt", "DropSubscriptionStmt"}:
        yield Hit(risk="high", message=f"{context.effect.command}: everything in it is gone.")
    for kind, name in context.dropped(*_LEVELS):
        if kind in _RELATIONS:
            if context.state.table(name).is_new or (context.body.get("missing_ok") and context.state.exists(name) is False):
                continue
            table = context.state.table(name)
            what, size = table.name, f" ({context.size(table)})" if kind == "OBJECT_TABLE" else ""
        else:
            what, size = name, ""
            if (
                name in context.state.new_schemas
                or name in context.state.new_types
                or name in context.state.domains
                or name in context.state.functions
            ):
                continue
        is_empty = kind == "OBJECT_TABLE" and _is_empty(context, context.state.table(name))
        word = kind.removeprefix("OBJECT_").lower().replace("matview", "materialized view").replace("_", " ")
        yield Hit(
            risk="medium" if is_empty else _LEVELS[kind],
            message=f"The {word} {what} goes{size}: running code that uses it breaks"
            + (", and its data is gone." if kind in {"OBJECT_TABLE", "OBJECT_SCHEMA"} else "."),
            safer=drop_table(what) if kind == "OBJECT_TABLE" else None,
        )


def _is_empty(context: Context, table: Table) -> bool:
    """True where the target says that a table holds nothing and nobody reads or writes it."""
    facts = table.statistics
    if facts is None or context.options.assume_large or table.is_partitioned or any(context.state.children(table.name)):
        return False
    is_quiet = facts.reads_per_second == 0 and facts.writes_per_second == 0
    return facts.table_bytes == 0 and facts.live_rows == 0 and is_quiet


RULE = Rule(
    id="table-drop-is-for-ever",
    title="Dropping a table loses its data",
    why="It goes at once, for every session: code that still uses it fails, and no rollback brings the rows back except a "
    "restore.",
    source=manual("sql-droptable.html"),
    level="high",
    bad="DROP TABLE orders;",
    good="CREATE TABLE scratch (id bigint);\nDROP TABLE scratch;",
    check=check,
)
