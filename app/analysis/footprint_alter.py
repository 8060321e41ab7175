"""The footprint of ALTER TABLE: the longest list in the manual, one function for each command that does more than lock."""

from collections.abc import Callable

from app.analysis.advance_tables import is_there_already
from app.analysis.column_types import change_of, rebuilt_indexes, reread_checks
from app.analysis.defaults import KEPT_IN_CATALOG_SINCE, default_kind
from app.analysis.marks import Marks
from app.analysis.partitions import attach_is_proven, default_excludes
from app.analysis.tables import ConstraintFacts, Table, not_null_columns
from app.sql.lock_levels import alter_table_command_mode
from app.sql.names import SERIAL_TYPES, from_type_name, raw_type
from app.sql.tree import Node, commands

#: commands that go down to every partition
_NOT_INHERITED = frozenset({"AT_AttachPartition", "AT_DetachPartition", "AT_DetachPartitionFinalize", "AT_ChangeOwner"})


def alter_index(marks: Marks, body: Node) -> None:
    """ALTER INDEX: attaching locks the tables weakly and the child index strongly; the rest is short."""
    for command in commands(body):
        if command.get("subtype") == "AT_AttachPartition":
            child, _ = marks.state.index(str(command["def"]["PartitionCmd"]["name"]["relname"]))
            parent, _ = marks.state.index(str(body["relation"]["relname"]))
            for table in (parent, child):
                if table:
                    marks.lock(table, "ACCESS SHARE")
            if child:
                marks.blocked[child.name] = ("reads", "writes")


def alter_table(marks: Marks, body: Node) -> None:
    """ALTER TABLE (and ALTER VIEW, ALTER SEQUENCE and others that share its tree)."""
    if body.get("objtype") not in {None, "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"}:
        if body.get("objtype") != "OBJECT_TYPE":
            marks.lock(marks.state.table_of(body["relation"]), "ACCESS EXCLUSIVE")
        return
    table = marks.state.table_of(body["relation"])
    for command in commands(body):
        subtype = str(command.get("subtype"))
        mode = alter_table_command_mode(command)
        if subtype not in _NOT_INHERITED and table.is_partitioned and body["relation"].get("inh"):
            marks.lock_with_partitions(table, mode)
        else:
            marks.lock(table, mode)
        draw = _COMMANDS.get(subtype)
        if draw:
            draw(marks, table, command)
    for command in commands(body):
        is_set = command.get("subtype") == "AT_SetNotNull"
        if is_set and not not_null_is_proven(table, command, body, version=marks.server_version):
            marks.scan(table)


#: the first version that takes a valid CHECK as proof for SET NOT NULL
_CHECK_IS_PROOF_SINCE = 12


def not_null_is_proven(table: Table, command: Node, body: Node, *, version: int = 18) -> bool:
    """True where SET NOT NULL needs no scan: a valid constraint proves it, and the same ALTER does not drop that constraint.

    A constraint that the same ALTER validates is not valid yet when it is looked for (measured).
    """
    if version < _CHECK_IS_PROOF_SINCE:
        found = table.columns.get(str(command.get("name")))
        return found is not None and found.not_null
    same = {str(other.get("name")) for other in commands(body) if other.get("subtype") == "AT_DropConstraint"}
    return table.proves_not_null(str(command.get("name")), without=same)


def adds_with_rewrite(marks: Marks, definition: Node) -> str | None:
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
        is_kept = marks.server_version >= KEPT_IN_CATALOG_SINCE
        if not is_kept or default_kind(default.get("raw_expr"), marks.state) != "steady":
            return "volatile"
    if type_node and marks.state.domain_is_checked(from_type_name(type_node)):
        return "domain"
    return None


def _add_column(marks: Marks, table: Table, command: Node) -> None:
    if is_there_already(table, command):
        return
    definition = command["def"]["ColumnDef"]
    constraints = [entry["Constraint"] for entry in definition.get("constraints", ())]
    kinds = {constraint.get("contype") for constraint in constraints}
    if adds_with_rewrite(marks, definition):
        marks.rewrite(table)
    virtual = any(constraint.get("generated_kind") == "v" for constraint in constraints)
    enforced_check = any(
        constraint.get("contype") == "CONSTR_CHECK" and constraint.get("is_enforced") for constraint in constraints
    )
    if enforced_check or (virtual and "CONSTR_NOTNULL" in kinds):
        marks.scan(table)
    if kinds & {"CONSTR_UNIQUE", "CONSTR_PRIMARY"}:
        marks.build(table)
    for constraint in constraints:
        if "pktable" in constraint:
            parent = marks.state.table_of(constraint["pktable"])
            marks.lock_with_partitions(parent, "SHARE ROW EXCLUSIVE")
            if "CONSTR_DEFAULT" in kinds and parent.name != table.name:
                marks.scan(table)


def _drop_column(marks: Marks, table: Table, command: Node) -> None:
    name = str(command.get("name"))
    for constraint in table.constraints.values():
        if constraint.references and name in constraint.columns:
            marks.lock(marks.state.table(constraint.references), "ACCESS EXCLUSIVE")
    if command.get("behavior") == "DROP_CASCADE":
        for kind, dependent, columns in table.dependents:
            if kind in {"view", "materialized view"} and (not columns or name in columns):
                marks.lock(marks.state.table(dependent), "ACCESS EXCLUSIVE")


def _change_type(marks: Marks, table: Table, command: Node) -> None:
    name = str(command.get("name"))
    change = change_of(marks.state, table, command, is_utc=marks.is_utc)
    if change.work != "nothing":
        marks.rewrite(table)
    else:
        if rebuilt_indexes(table, command, change):
            marks.build(table)
        if reread_checks(table, command):
            marks.scan(table)
    for constraint in table.constraints.values():
        if constraint.references and name in constraint.columns:
            marks.lock(marks.state.table(constraint.references), "ACCESS EXCLUSIVE")
    for child, constraint in marks.state.referencing(table.name):
        key = table.columns.get(name)
        if key is not None and _is_key(table, name) and constraint.references:
            marks.lock(child, "ACCESS EXCLUSIVE")
            if change.work != "nothing":
                marks.scan(child)


def _is_key(table: Table, column: str) -> bool:
    return any(fact.kind in {"primary key", "unique"} and column in fact.columns for fact in table.constraints.values())


def _add_constraint(marks: Marks, table: Table, command: Node) -> None:
    constraint = command["def"]["Constraint"]
    contype = constraint.get("contype")
    if contype == "CONSTR_FOREIGN":
        parent = marks.state.table_of(constraint["pktable"])
        marks.lock_with_partitions(parent, "SHARE ROW EXCLUSIVE")
        marks.lock_with_partitions(table, "SHARE ROW EXCLUSIVE")
        if not constraint.get("skip_validation"):
            marks.scan(table)
    elif contype in {"CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_EXCLUSION"}:
        if constraint.get("indexname"):
            if primary_key_scans(marks, table, constraint):
                marks.scan(table)
        else:
            marks.build(table)
    elif contype == "CONSTR_NOTNULL":
        columns = [node["String"]["sval"] for node in constraint.get("keys", ())]
        if not constraint.get("skip_validation") and not all(table.proves_not_null(name) for name in columns):
            marks.scan(table)
    elif contype == "CONSTR_CHECK" and not constraint.get("skip_validation") and constraint.get("is_enforced"):
        marks.scan(table)


def primary_key_scans(marks: Marks, table: Table, constraint: Node) -> bool:
    """True where PRIMARY KEY USING INDEX must first look for NULLs, because a column may hold them."""
    if constraint.get("contype") != "CONSTR_PRIMARY":
        return False
    _, index = marks.state.index(str(constraint.get("indexname")))
    if index is None:
        return False
    return any(name is not None and not table.proves_not_null(name) for name in index.columns)


def _validate(marks: Marks, table: Table, command: Node) -> None:
    marks.scan(table)
    found = table.constraints.get(str(command.get("name")))
    if found and found.references:
        marks.lock(marks.state.table(found.references), "ROW SHARE")


def _drop_constraint(marks: Marks, table: Table, command: Node) -> None:
    found = table.constraints.get(str(command.get("name")))
    if found and found.references:
        marks.lock(marks.state.table(found.references), "ACCESS EXCLUSIVE")
    if command.get("behavior") == "DROP_CASCADE" and found and found.kind in {"primary key", "unique"}:
        for child, _ in marks.state.referencing(table.name):
            marks.lock(child, "ACCESS EXCLUSIVE")


def _alter_constraint(marks: Marks, table: Table, command: Node) -> None:
    change = command["def"]["ATAlterConstraint"]
    found: ConstraintFacts | None = table.constraints.get(str(change.get("conname")))
    if change.get("alterEnforceability") and change.get("is_enforced"):
        marks.scan(table)
        if found and found.references:
            marks.lock(marks.state.table(found.references), "SHARE ROW EXCLUSIVE")


def _rewrite(marks: Marks, table: Table, command: Node) -> None:
    if not (command.get("subtype") == "AT_SetAccessMethod" and command.get("name") == "heap"):
        marks.rewrite(table)


def _attach(marks: Marks, table: Table, command: Node) -> None:
    partition = command["def"]["PartitionCmd"]
    child = marks.state.table_of(partition["name"])
    marks.lock_with_partitions(child, "ACCESS EXCLUSIVE")
    if not child.is_new and not attach_is_proven(table, child, partition.get("bound")):
        marks.scan(child)
    for constraint in table.constraints.values():
        if constraint.references:
            marks.lock(marks.state.table(constraint.references), "SHARE ROW EXCLUSIVE")
            marks.scan(child)
    if any(child.index_with_prefix(_plain(index.columns)) is None for index in table.indexes.values()) and not child.is_new:
        marks.build(child)
    default = marks.state.default_partition(table.name)
    if default and default.name != child.name:
        marks.lock(default, "ACCESS EXCLUSIVE")
        marks.blocked[table.name] = ("reads",)
        if not default_excludes(table, default, partition.get("bound")):
            marks.scan(default)


def _plain(columns: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(name for name in columns if name)


def _detach(marks: Marks, table: Table, command: Node) -> None:
    partition = command["def"]["PartitionCmd"]
    child = marks.state.table_of(partition["name"])
    default = marks.state.default_partition(table.name)
    if default is not None and not partition.get("concurrent"):
        marks.lock(default, "ACCESS EXCLUSIVE")
    marks.lock(child, "SHARE UPDATE EXCLUSIVE" if partition.get("concurrent") else "ACCESS EXCLUSIVE")


def _inherit(marks: Marks, table: Table, command: Node) -> None:
    del table
    marks.lock(marks.state.table_of(command["def"]["RangeVar"]), "SHARE UPDATE EXCLUSIVE")


def _disinherit(marks: Marks, table: Table, command: Node) -> None:
    del table
    marks.lock(marks.state.table_of(command["def"]["RangeVar"]), "ACCESS SHARE")


def _set_expression(marks: Marks, table: Table, command: Node) -> None:
    column = table.columns.get(str(command.get("name")))
    if column is None or column.generated != "virtual":
        marks.rewrite(table)


_COMMANDS: dict[str, Callable[[Marks, Table, Node], None]] = {
    "AT_AddColumn": _add_column,
    "AT_DropColumn": _drop_column,
    "AT_AlterColumnType": _change_type,
    "AT_AddConstraint": _add_constraint,
    "AT_ValidateConstraint": _validate,
    "AT_DropConstraint": _drop_constraint,
    "AT_AlterConstraint": _alter_constraint,
    "AT_SetLogged": _rewrite,
    "AT_SetUnLogged": _rewrite,
    "AT_SetTableSpace": _rewrite,
    "AT_SetAccessMethod": _rewrite,
    "AT_SetExpression": _set_expression,
    "AT_AttachPartition": _attach,
    "AT_DetachPartition": _detach,
    "AT_AddInherit": _inherit,
    "AT_DropInherit": _disinherit,
}

__all__ = ["adds_with_rewrite", "alter_index", "alter_table", "not_null_columns", "not_null_is_proven", "primary_key_scans"]
