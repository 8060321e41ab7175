"""What each command of ALTER TABLE makes of a table, where the statement and the catalog tell."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from app.analysis.foresight_parts import Doubt, column_of, constraints_of, default_of, with_constraint
from app.catalog.records import Column, Relation
from app.sql.inverse.known import Known
from app.sql.names import from_type_name
from app.sql.split import Statement
from app.sql.tree import Node, commands

_Step = Callable[[Relation, Node, Known], Relation]


def alter(relation: Relation, body: Node, known: Known, _statement: Statement) -> Relation:
    """The table after all commands of the statement.

    Raises Doubt.
    """
    for command in commands(body):
        step = _COMMANDS.get(str(command.get("subtype")))
        if step is None:
            raise Doubt("changes the table in a way that is not foreseen")
        if command.get("behavior") == "DROP_CASCADE":
            raise Doubt("says CASCADE, which takes what depends on it along")
        relation = step(relation, command, known)
    return relation


def _add_column(relation: Relation, command: Node, known: Known) -> Relation:
    definition = command["def"]["ColumnDef"]
    if relation.column(str(definition["colname"])) is not None:
        if command.get("missing_ok"):
            return relation
        raise Doubt("adds a column that is there already")
    changed = replace(relation, columns=(*relation.columns, column_of(relation.name, definition)))
    for constraint in constraints_of(definition):
        changed = with_constraint(changed, constraint, known)
    return changed


def _drop_column(relation: Relation, command: Node, _known: Known) -> Relation:
    name = str(command["name"])
    if relation.column(name) is None and not command.get("missing_ok"):
        raise Doubt("drops a column that is not there")
    if any(name in dependent.columns or not dependent.columns for dependent in relation.dependents):
        raise Doubt("drops a column that other objects use")
    return replace(
        relation,
        columns=tuple(column for column in relation.columns if column.name != name),
        indexes=tuple(index for index in relation.indexes if name not in index.depends_on),
        constraints=tuple(constraint for constraint in relation.constraints if name not in constraint.columns),
        statistics=tuple(statistics for statistics in relation.statistics if name not in statistics.depends_on),
    )


def _with_column(relation: Relation, command: Node, change: Callable[[Column], Column]) -> Relation:
    name = command.get("name")
    if relation.column(str(name)) is None:
        raise Doubt("names a column that is not there")
    return replace(relation, columns=tuple(change(column) if column.name == name else column for column in relation.columns))


def _type(relation: Relation, command: Node, _known: Known) -> Relation:
    definition, name = command["def"]["ColumnDef"], str(command["name"])
    column = relation.column(name)
    mentioned = [index for index in relation.indexes if None in index.columns or index.predicate]
    mentioned_by_checks = [item for item in relation.constraints if item.kind == "check" and name in item.columns]
    if "collClause" in definition or (column is not None and column.default is not None):
        raise Doubt("changes a type with its collation or its default")
    if mentioned_by_checks or any(name in index.depends_on for index in mentioned):
        raise Doubt("changes a type that a CHECK or an index on an expression follows")
    return _with_column(relation, command, lambda old: replace(old, type=from_type_name(definition["typeName"]), collation=None))


def _default(relation: Relation, command: Node, _known: Known) -> Relation:
    value = default_of(command.get("def"))
    return _with_column(relation, command, lambda old: replace(old, default=value))


def _set_not_null(relation: Relation, command: Node, _known: Known) -> Relation:
    return _with_column(relation, command, lambda old: replace(old, not_null=True))


def _drop_not_null(relation: Relation, command: Node, _known: Known) -> Relation:
    rest = tuple(item for item in relation.constraints if item.kind != "not null" or item.columns != (command["name"],))
    return _with_column(replace(relation, constraints=rest), command, lambda old: replace(old, not_null=False))


def _add_constraint(relation: Relation, command: Node, known: Known) -> Relation:
    return with_constraint(relation, command["def"]["Constraint"], known)


def _drop_constraint(relation: Relation, command: Node, _known: Known) -> Relation:
    gone = relation.constraint(str(command["name"]))
    if gone is None and command.get("missing_ok"):
        return relation
    if gone is None or gone.kind == "not null":
        raise Doubt("drops a constraint that is not known, or a NOT NULL by its name")
    if sum(item.kind == "foreign key" and item.columns == gone.columns for item in relation.constraints) > 1:
        raise Doubt("drops a foreign key that has copies for partitions")
    return replace(
        relation,
        constraints=tuple(item for item in relation.constraints if item.name != gone.name),
        indexes=tuple(index for index in relation.indexes if index.constraint != gone.name),
    )


def _validate(relation: Relation, command: Node, _known: Known) -> Relation:
    proven = relation.constraint(str(command.get("name")))
    if proven is None:
        raise Doubt("validates a constraint that is not there")
    valid = replace(proven, is_validated=True, definition=proven.definition.removesuffix(" NOT VALID"))
    columns = relation.columns
    if proven.kind == "not null":
        columns = tuple(replace(column, not_null=column.not_null or column.name in proven.columns) for column in columns)
    constraints = tuple(valid if item is proven else item for item in relation.constraints)
    return replace(relation, constraints=constraints, columns=columns)


def _row_security(relation: Relation, command: Node, _known: Known) -> Relation:
    return replace(relation, row_security=command["subtype"] == "AT_EnableRowSecurity")


def _same(relation: Relation, _command: Node, _known: Known) -> Relation:
    return relation


_COMMANDS: Mapping[str, _Step] = {
    "AT_AddColumn": _add_column,
    "AT_AddConstraint": _add_constraint,
    "AT_AlterColumnType": _type,
    "AT_ChangeOwner": _same,
    "AT_ClusterOn": _same,
    "AT_ColumnDefault": _default,
    "AT_DisableRowSecurity": _row_security,
    "AT_DropColumn": _drop_column,
    "AT_DropConstraint": _drop_constraint,
    "AT_DropNotNull": _drop_not_null,
    "AT_EnableRowSecurity": _row_security,
    "AT_SetCompression": _same,
    "AT_SetNotNull": _set_not_null,
    "AT_SetStatistics": _same,
    "AT_SetStorage": _same,
    "AT_ValidateConstraint": _validate,
}
