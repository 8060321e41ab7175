"""The footprint of partitions that come and go, and of inheritance."""

from app.analysis.marks import Marks
from app.analysis.partitions import attach_is_proven, default_excludes
from app.analysis.tables import Table
from app.sql.lock_levels import Mode
from app.sql.tree import Node


def attach(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """ATTACH PARTITION: the new partition strongly, the parent weakly, and the DEFAULT partition where there is one."""
    del reached
    partition = command["def"]["PartitionCmd"]
    child = marks.state.table_of(partition["name"])
    tables = marks.with_children(child)
    marks.lock_with_children(child, "ACCESS EXCLUSIVE")
    if not child.is_new and not attach_is_proven(marks.state, table, child, partition.get("bound")):
        marks.scan(*tables)
    lock_referenced(marks, table, "SHARE ROW EXCLUSIVE")
    if not child.is_new:
        if any(constraint.references for constraint in table.constraints.values()):
            marks.scan(*tables)
        if any(child.index_with_prefix(_plain(index.columns)) is None for index in table.indexes.values()):
            marks.build(*tables)
    default = marks.state.default_partition(table.name)
    if default and default.name != child.name:
        marks.lock_with_children(default, "ACCESS EXCLUSIVE")
        marks.blocked[table.name] = ("reads",)
        if not default_excludes(table, default, partition.get("bound")):
            marks.scan(*marks.with_children(default))


def _plain(columns: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(name for name in columns if name)


def lock_referenced(marks: Marks, parent: Table, mode: Mode) -> None:
    """Note the tables that foreign keys of a partitioned table point to: each partition has a copy of them."""
    for constraint in parent.constraints.values():
        if constraint.references:
            marks.lock_with_children(marks.state.table(constraint.references), mode)


def detach(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """DETACH PARTITION."""
    del reached
    partition = command["def"]["PartitionCmd"]
    child = marks.state.table_of(partition["name"])
    if partition.get("concurrent"):
        marks.lock(child, "SHARE UPDATE EXCLUSIVE")
        return
    marks.lock_with_children(child, "ACCESS EXCLUSIVE")
    marks.lock_default(table.name, "ACCESS EXCLUSIVE")
    lock_referenced(marks, table, "SHARE ROW EXCLUSIVE")


def inherit(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """INHERIT."""
    del table, reached
    marks.lock(marks.state.table_of(command["def"]["RangeVar"]), "SHARE UPDATE EXCLUSIVE")


def disinherit(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """NO INHERIT."""
    del table, reached
    marks.lock(marks.state.table_of(command["def"]["RangeVar"]), "ACCESS SHARE")
