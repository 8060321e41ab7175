"""A change of type in its place: what is known of the column, and domains taken for what is under them."""

from app.analysis.advance_tables import column_type
from app.analysis.domains import base_of, is_checked, is_domain
from app.analysis.state import State
from app.analysis.tables import IndexFacts, Table
from app.analysis.type_change import TypeChange, judge
from app.sql.tree import Node


def change_of(state: State, table: Table, command: Node, *, is_utc: bool) -> TypeChange:
    """What an AT_AlterColumnType command costs."""
    name, definition = str(command.get("name")), command["def"]["ColumnDef"]
    column = table.columns.get(name)
    old, new = column.type if column else None, column_type(definition) or ""
    using = definition.get("raw_default")
    if old is not None and _is_same(old, new) and using is None:
        return TypeChange(work="nothing", reason="the type stays the same")
    if is_checked(state, new):
        return TypeChange(work="rewrite", reason=f"the domain {new} checks every value")
    base = None if old is None else base_of(state, old)
    return judge(
        base, base_of(state, new), using=using, column=name, is_utc=is_utc, is_domain=old is not None and is_domain(state, old)
    )


def _is_same(old: str, new: str) -> bool:
    return old == new or ("." not in new and old.rpartition(".")[2] == new)


def rebuilt_indexes(table: Table, command: Node, change: TypeChange) -> list[IndexFacts]:
    """The indexes that are built anew although the table is not rewritten."""
    name, definition = str(command.get("name")), command["def"]["ColumnDef"]
    swaps = change.rebuilds_indexes or "collClause" in definition
    return [index for index in table.indexes.values() if index.rebuilt_with(name) or (swaps and name in index.columns)]


def reread_checks(table: Table, command: Node) -> list[str]:
    """The CHECK constraints that read every row again, because they mention the column."""
    name = str(command.get("name"))
    return [fact.name for fact in table.constraints.values() if fact.kind == "check" and name in fact.columns]
