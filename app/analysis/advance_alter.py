"""How the commands of ALTER TABLE change what is known of a table."""

from collections.abc import Callable

from app.analysis.advance_tables import add_column, add_constraint, bound_of, column_type
from app.analysis.state import State
from app.analysis.tables import ColumnFacts, Table, not_null_columns
from app.sql.tree import Node, commands


def alter_table(state: State, body: Node) -> None:
    """Apply every command of an AlterTableStmt."""
    if body.get("objtype") not in {None, "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"} or "relation" not in body:
        return
    table = state.table_of(body["relation"])
    for command in commands(body):
        change = _COMMANDS.get(str(command.get("subtype")))
        if change:
            change(state, table, command)


def _add(state: State, table: Table, command: Node) -> None:
    definition = command["def"]["ColumnDef"]
    if not (command.get("missing_ok") and definition.get("colname") in table.columns):
        add_column(state, table, definition)


def _drop_column(state: State, table: Table, command: Node) -> None:
    del state
    name = str(command.get("name"))
    table.columns.pop(name, None)
    table.constraints = {key: fact for key, fact in table.constraints.items() if name not in fact.columns}
    table.indexes = {key: fact for key, fact in table.indexes.items() if not fact.touches(name)}


def _column(table: Table, command: Node) -> ColumnFacts:
    name = str(command.get("name"))
    return table.columns.setdefault(name, ColumnFacts(name=name))


def _set_type(state: State, table: Table, command: Node) -> None:
    del state
    _column(table, command).type = column_type(command["def"]["ColumnDef"])


def _set_not_null(state: State, table: Table, command: Node) -> None:
    del state
    _column(table, command).not_null = True
    for constraint in table.constraints.values():
        if constraint.kind == "not null" and command.get("name") in constraint.columns:
            constraint.is_validated = True


def _drop_not_null(state: State, table: Table, command: Node) -> None:
    del state
    _column(table, command).not_null = False
    table.constraints = {
        key: fact
        for key, fact in table.constraints.items()
        if not (fact.kind == "not null" and command.get("name") in fact.columns)
    }


def _default(state: State, table: Table, command: Node) -> None:
    del state
    _column(table, command).has_default = "def" in command


def _constraint(state: State, table: Table, command: Node) -> None:
    add_constraint(state, table, command["def"]["Constraint"])


def _validate(state: State, table: Table, command: Node) -> None:
    del state
    found = table.constraints.get(str(command.get("name")))
    if found:
        found.is_validated = True


def _drop_constraint(state: State, table: Table, command: Node) -> None:
    del state
    found = table.constraints.pop(str(command.get("name")), None)
    if found is None:
        return
    table.indexes = {key: fact for key, fact in table.indexes.items() if fact.constraint != found.name}
    if found.kind == "not null":
        for name in not_null_columns(found) & set(table.columns):
            table.columns[name].not_null = False


def _attach(state: State, table: Table, command: Node) -> None:
    partition = command["def"]["PartitionCmd"]
    child = state.table_of(partition["name"])
    child.partition_bound = bound_of(partition.get("bound"))
    state.add_child(table.name, child)


def _detach(state: State, table: Table, command: Node) -> None:
    child = state.table_of(command["def"]["PartitionCmd"]["name"])
    child.partition_bound = None
    state.remove_child(table.name, child)


def _row_security(state: State, table: Table, command: Node) -> None:
    del state
    table.row_security = command.get("subtype") == "AT_EnableRowSecurity"


def _persistence(state: State, table: Table, command: Node) -> None:
    del state
    table.is_unlogged = command.get("subtype") == "AT_SetUnLogged"


_COMMANDS: dict[str, Callable[[State, Table, Node], None]] = {
    "AT_AddColumn": _add,
    "AT_DropColumn": _drop_column,
    "AT_AlterColumnType": _set_type,
    "AT_SetNotNull": _set_not_null,
    "AT_DropNotNull": _drop_not_null,
    "AT_ColumnDefault": _default,
    "AT_AddConstraint": _constraint,
    "AT_ValidateConstraint": _validate,
    "AT_DropConstraint": _drop_constraint,
    "AT_AttachPartition": _attach,
    "AT_DetachPartition": _detach,
    "AT_SetLogged": _persistence,
    "AT_SetUnLogged": _persistence,
    "AT_EnableRowSecurity": _row_security,
    "AT_DisableRowSecurity": _row_security,
}
