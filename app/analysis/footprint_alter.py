"""The footprint of ALTER TABLE: the longest list in the manual. Which tables each command reaches, and in which mode.

What commands do to columns, constraints and partitions is drawn in the modules of those names.
"""

from collections.abc import Callable, Iterator

from app.analysis import footprint_columns as columns
from app.analysis import footprint_constraints as constraints
from app.analysis import footprint_partitions as partitions
from app.analysis.marks import Marks
from app.analysis.tables import Table
from app.sql.lock_levels import Mode, alter_table_command_mode
from app.sql.names import from_range_var
from app.sql.tree import Node, commands

Draw = Callable[[Marks, Table, Node, list[Table]], None]

#: commands that go down to partitions and heirs (measured on 15, 17 and 18)
_INHERITED = frozenset(
    {
        "AT_AddColumn",
        "AT_DropColumn",
        "AT_ColumnDefault",
        "AT_SetNotNull",
        "AT_DropNotNull",
        "AT_AlterColumnType",
        "AT_SetStatistics",
        "AT_SetStorage",
        "AT_DropConstraint",
        "AT_ValidateConstraint",
        "AT_DropExpression",
        "AT_SetExpression",
    }
)
#: commands that go down to partitions, and not to heirs
_PARTITIONED = frozenset(
    {
        "AT_AlterConstraint",
        "AT_AddIdentity",
        "AT_SetIdentity",
        "AT_DropIdentity",
        "AT_EnableTrig",
        "AT_EnableTrigAll",
        "AT_EnableTrigUser",
        "AT_EnableAlwaysTrig",
        "AT_EnableReplicaTrig",
        "AT_DisableTrig",
        "AT_DisableTrigAll",
        "AT_DisableTrigUser",
    }
)
#: commands that lock the nearest heirs even with ONLY
_NEAREST = frozenset({"AT_DropColumn", "AT_DropConstraint"})
_NOT_NULL_IS_A_CONSTRAINT_SINCE = 18
_PARTITIONS_HAVE_IDENTITY_SINCE = 17
_TABLES = frozenset({None, "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"})


def alter_index(marks: Marks, body: Node) -> None:
    """ALTER INDEX: attaching locks the tables weakly and the child index strongly; the rest is short."""
    for command in commands(body):
        if command.get("subtype") == "AT_AttachPartition":
            child, _ = marks.state.index(from_range_var(command["def"]["PartitionCmd"]["name"]))
            parent, _ = marks.state.index(from_range_var(body["relation"]))
            for table in (parent, child):
                if table:
                    marks.lock(table, "ACCESS SHARE")
            if child:
                marks.blocked[child.name] = ("reads", "writes")


def alter_table(marks: Marks, body: Node) -> None:
    """ALTER TABLE (and ALTER VIEW, ALTER SEQUENCE and others that share its tree)."""
    name = from_range_var(body["relation"])
    if body.get("missing_ok") and marks.state.exists(name) is False:
        return
    table = marks.state.table(name)
    if body.get("objtype") not in _TABLES:
        _alter_other(marks, table, body)
        return
    for command in commands(body):
        mode = alter_table_command_mode(command)
        reached = list(_reached(marks, table, command, body["relation"]))
        for each in reached:
            is_partition = each is not table and table.is_partitioned
            marks.lock(each, constraints.partition_mode(marks, each, command) or mode if is_partition else mode)
        _draw(marks, table, command, reached)
    for command in commands(body):
        if command.get("subtype") == "AT_SetNotNull":
            for each in _reached(marks, table, command, body["relation"]):
                if not not_null_is_proven(each, command, body, version=marks.server_version):
                    marks.scan(each)


def _alter_other(marks: Marks, table: Table, body: Node) -> None:
    if body.get("objtype") == "OBJECT_TYPE":
        # with CASCADE a typed table follows its type; without it the statement fails where there is one
        for each in marks.state.typed_tables(from_range_var(body["relation"])):
            marks.lock(each, "ACCESS EXCLUSIVE")
        return
    if body.get("objtype") == "OBJECT_INDEX":
        return
    is_view = body.get("objtype") == "OBJECT_VIEW"
    for command in commands(body):
        mode: Mode = "ACCESS EXCLUSIVE" if is_view else alter_table_command_mode(command)
        marks.lock(table, mode)


def _reached(marks: Marks, table: Table, command: Node, relation: Node) -> Iterator[Table]:
    """The tables that a command locks in its own mode, the one that it names first."""
    yield table
    subtype = str(command.get("subtype"))
    if not _goes_down(marks.server_version, table, command):
        return
    if relation.get("inh", False):
        yield from marks.state.children(table.name)
    elif subtype in _NEAREST or (subtype == "AT_DropNotNull" and marks.server_version >= _NOT_NULL_IS_A_CONSTRAINT_SINCE):
        yield from (child for child in marks.state.children(table.name) if table.name in child.parents)


def _goes_down(version: int, table: Table, command: Node) -> bool:
    subtype = str(command.get("subtype"))
    if subtype == "AT_AddConstraint":
        return table.is_partitioned or _constraint_goes_down(version, command["def"]["Constraint"])
    if subtype in {"AT_SetNotNull", "AT_DropNotNull"}:
        is_older = version < _NOT_NULL_IS_A_CONSTRAINT_SINCE and not (table.is_partitioned and subtype == "AT_SetNotNull")
        return is_older or _changes_null(table, subtype, str(command.get("name")))
    if subtype == "AT_ValidateConstraint":
        found = table.constraints.get(str(command.get("name")))
        return found is None or not found.is_validated
    if subtype == "AT_AddIdentity" and version < _PARTITIONS_HAVE_IDENTITY_SINCE:
        return False
    return subtype in _INHERITED or (table.is_partitioned and subtype in _PARTITIONED)


def _constraint_goes_down(version: int, constraint: Node) -> bool:
    """Whether a constraint reaches heirs; NO INHERIT does so since 18, where it must see that none of them has it."""
    if constraint.get("contype") not in {"CONSTR_CHECK", "CONSTR_NOTNULL", "CONSTR_PRIMARY"}:
        return False
    return not constraint.get("is_no_inherit") or version >= _NOT_NULL_IS_A_CONSTRAINT_SINCE


def _changes_null(table: Table, subtype: str, column: str) -> bool:
    """False where a column is already as SET or DROP NOT NULL would make it."""
    found = table.columns.get(column)
    if found is None:
        return True
    return found.not_null if subtype == "AT_DropNotNull" else not (found.not_null and table.proves_not_null(column))


def _draw(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    draw = _COMMANDS.get(str(command.get("subtype")))
    if draw:
        draw(marks, table, command, reached)


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


def _rewrite(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    del reached
    if command.get("subtype") == "AT_SetAccessMethod" and command.get("name") in {None, "", "heap"}:
        return
    if command.get("subtype") == "AT_SetTableSpace" and command.get("name") == table.tablespace:
        # it is there: PostgreSQL takes the lock and writes nothing
        return
    marks.rewrite(table)


def _persistence(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    del reached
    if table.is_unlogged is None or table.is_unlogged != (command.get("subtype") == "AT_SetUnLogged"):
        marks.lock_sequences(table, "ACCESS EXCLUSIVE")
        marks.rewrite(table)


def _owner(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    del command, reached
    marks.lock_sequences(table, "ACCESS EXCLUSIVE")


_COMMANDS: dict[str, Draw] = {
    "AT_AddColumn": columns.add,
    "AT_DropColumn": columns.drop,
    "AT_AlterColumnType": columns.change_type,
    "AT_SetExpression": columns.set_expression,
    "AT_SetIdentity": columns.set_identity,
    "AT_DropIdentity": columns.drop_identity,
    "AT_AddConstraint": constraints.add,
    "AT_ValidateConstraint": constraints.validate,
    "AT_DropConstraint": constraints.drop,
    "AT_AlterConstraint": constraints.alter,
    "AT_SetLogged": _persistence,
    "AT_SetUnLogged": _persistence,
    "AT_SetTableSpace": _rewrite,
    "AT_SetAccessMethod": _rewrite,
    "AT_ChangeOwner": _owner,
    "AT_AttachPartition": partitions.attach,
    "AT_DetachPartition": partitions.detach,
    "AT_AddInherit": partitions.inherit,
    "AT_DropInherit": partitions.disinherit,
}
