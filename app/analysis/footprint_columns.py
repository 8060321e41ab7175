"""The footprint of ALTER TABLE's commands on columns."""

from app.analysis.advance_tables import is_there_already
from app.analysis.column_types import change_of, rebuilt_indexes, reread_checks
from app.analysis.defaults import KEPT_IN_CATALOG_SINCE, default_kind
from app.analysis.domains import is_checked
from app.analysis.footprint_queries import use_sequences
from app.analysis.marks import Marks
from app.analysis.state import State
from app.analysis.tables import Table
from app.sql.names import SERIAL_TYPES, from_type_name, raw_type
from app.sql.tree import Node

#: since this version changing the type of a column that owns a sequence looks at the sequence (measured on 15, 17, 18)
_SEQUENCE_READ_SINCE = 18


def adds_with_rewrite(state: State, definition: Node, *, server_version: int = 18) -> str | None:
    """Why a new column makes PostgreSQL write the whole table anew; None where it does not."""
    constraints = [entry["Constraint"] for entry in definition.get("constraints", ())]
    by_type = {constraint.get("contype"): constraint for constraint in constraints}
    type_node = definition.get("typeName", {})
    if raw_type(type_node) in SERIAL_TYPES:
        return "serial"
    if "CONSTR_IDENTITY" in by_type:
        return "identity"
    if "CONSTR_GENERATED" in by_type:
        return None if by_type["CONSTR_GENERATED"].get("generated_kind") == "v" else "generated"
    default = by_type.get("CONSTR_DEFAULT")
    if default is not None:
        is_kept = server_version >= KEPT_IN_CATALOG_SINCE
        if not is_kept or default_kind(default.get("raw_expr"), state) != "steady":
            return "volatile"
    if type_node and is_checked(state, from_type_name(type_node)):
        return "domain"
    return None


def enforced_checks(definition: Node) -> list[Node]:
    """The inline CHECK constraints of a new column that are enforced; NOT ENFORCED follows as a node of its own."""
    found: list[Node] = []
    for entry in definition.get("constraints", ()):
        constraint = entry["Constraint"]
        if constraint.get("contype") == "CONSTR_CHECK":
            found.append(constraint)
        elif constraint.get("contype") == "CONSTR_ATTR_NOT_ENFORCED" and found:
            found.pop()
    return found


def add(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """ADD COLUMN."""
    if is_there_already(table, command):
        return
    definition = command["def"]["ColumnDef"]
    constraints = [entry["Constraint"] for entry in definition.get("constraints", ())]
    kinds = {constraint.get("contype") for constraint in constraints}
    use_sequences(marks, definition)
    if adds_with_rewrite(marks.state, definition, server_version=marks.server_version):
        marks.rewrite(*reached)
    is_virtual = any(constraint.get("generated_kind") == "v" for constraint in constraints)
    if enforced_checks(definition) or (is_virtual and "CONSTR_NOTNULL" in kinds):
        marks.scan(*reached)
    if kinds & {"CONSTR_UNIQUE", "CONSTR_PRIMARY"}:
        marks.build(*(reached if table.is_partitioned else [table]))
    for constraint in constraints:
        if "pktable" in constraint:
            marks.lock_with_children(marks.state.table_of(constraint["pktable"]), "SHARE ROW EXCLUSIVE")
            if "CONSTR_DEFAULT" in kinds:
                marks.scan(*reached)


def drop(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """DROP COLUMN, with what hangs on the column."""
    name = str(command.get("name"))
    marks.lock_sequences(table, "ACCESS EXCLUSIVE", column=name)
    for each in reached:
        for constraint in each.constraints.values():
            if constraint.references and name in constraint.columns:
                marks.lock_with_children(marks.state.table(constraint.references), "ACCESS EXCLUSIVE")
    if command.get("behavior") == "DROP_CASCADE":
        marks.drop_views(table, name)
        for child, constraint in marks.state.referencing(table.name):
            if name in constraint.referenced_columns:
                marks.lock_with_children(child, "ACCESS EXCLUSIVE")


def change_type(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """ALTER COLUMN TYPE: the table, its indexes and checks, and both ends of the foreign keys on the column."""
    name = str(command.get("name"))
    rewrites = [_change_rows(marks, each, command) for each in reached]
    for each in reached:
        for constraint in each.constraints.values():
            if constraint.references and name in constraint.columns:
                marks.lock_with_children(marks.state.table(constraint.references), "ACCESS EXCLUSIVE")
    for child, constraint in marks.state.referencing(table.name):
        if name in constraint.referenced_columns or (not constraint.referenced_columns and _is_key(table, name)):
            marks.lock_with_children(child, "ACCESS EXCLUSIVE")
            if any(rewrites):
                marks.scan(*marks.with_children(child))
    _change_sequence(marks, table, name)


def _change_rows(marks: Marks, table: Table, command: Node) -> bool:
    """Note what the rows, indexes and checks of one table need; True where it is rewritten."""
    change = change_of(marks.state, table, command, is_utc=marks.is_utc)
    if change.work != "nothing":
        marks.rewrite(table)
        return True
    if rebuilt_indexes(table, command, change):
        marks.build(table)
    if reread_checks(table, command):
        marks.scan(table)
    return False


def _change_sequence(marks: Marks, table: Table, name: str) -> None:
    column = table.columns.get(name)
    if column is None or not column.owned_sequence:
        return
    sequence = marks.state.table(column.owned_sequence)
    if column.identity:
        marks.lock(sequence, "SHARE ROW EXCLUSIVE")
    elif marks.server_version >= _SEQUENCE_READ_SINCE:
        marks.lock(sequence, "ACCESS SHARE")


def _is_key(table: Table, column: str) -> bool:
    return any(fact.kind == "primary key" and column in fact.columns for fact in table.constraints.values())


def set_expression(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """SET EXPRESSION computes a stored column anew."""
    column = table.columns.get(str(command.get("name")))
    if column is None or column.generated != "virtual":
        marks.rewrite(*reached)


def set_identity(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """SET GENERATED, RESTART and the options of an identity column change its sequence."""
    del reached
    marks.lock_sequences(table, "SHARE ROW EXCLUSIVE", column=str(command.get("name")))


def drop_identity(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """DROP IDENTITY drops the sequence."""
    del reached
    column = table.columns.get(str(command.get("name")))
    if column is not None and column.identity:
        marks.lock_sequences(table, "ACCESS EXCLUSIVE", column=column.name)
