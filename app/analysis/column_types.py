"""A change of type in its place: what is known of the column, and domains taken for what is under them."""

from app.analysis.advance_tables import column_type
from app.analysis.state import State
from app.analysis.tables import IndexFacts, Table
from app.analysis.type_change import TypeChange, judge
from app.sql.tree import Node


def change_of(state: State, table: Table, command: Node, *, is_utc: bool) -> TypeChange:
    """What an AT_AlterColumnType command costs."""
    name, definition = str(command.get("name")), command["def"]["ColumnDef"]
    column = table.columns.get(name)
    old, new = column.type if column else None, column_type(definition) or ""
    if old != new and state.domain_is_checked(new):
        return TypeChange(work="rewrite", reason=f"the domain {new} checks every value")
    using = definition.get("raw_default")
    return judge(state.base_type(old), state.base_type(new) or new, using=using, column=name, is_utc=is_utc)


def rebuilt_indexes(table: Table, command: Node, change: TypeChange) -> list[IndexFacts]:
    """The indexes that are built anew although the table is not rewritten."""
    name, definition = str(command.get("name")), command["def"]["ColumnDef"]
    swaps = change.rebuilds_indexes or "collClause" in definition
    return [index for index in table.indexes.values() if index.rebuilt_with(name) or (swaps and name in index.columns)]


def reread_checks(table: Table, command: Node) -> list[str]:
    """The CHECK constraints that read every row again, because they mention the column."""
    name = str(command.get("name"))
    return [fact.name for fact in table.constraints.values() if fact.kind == "check" and name in fact.columns]
