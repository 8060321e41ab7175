"""What each command of ALTER TABLE changes in what is known of the table."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from app.catalog.records import Column, Constraint, Relation
from app.sql.inverse.chosen_names import chosen_constraint_name
from app.sql.inverse.known import Known
from app.sql.inverse.pieces import expression_after
from app.sql.names import from_type_name
from app.sql.split import Statement
from app.sql.tree import Node, commands, find, strings


def follow_alter(statement: Statement, known: Known) -> Known:
    """What is known after ALTER TABLE."""
    body = statement.body
    key = known.key(body["relation"])
    for command in commands(body):
        step = _COMMANDS.get(str(command.get("subtype")))
        known = known.with_stale(key, "all") if step is None else step(command, key, statement, known)
    return known


def _add_column(command: Node, key: str, _statement: Statement, known: Known) -> Known:
    definition = command["def"]["ColumnDef"]
    name = str(definition["colname"])
    relation = known.relation(key)
    if relation is not None and relation.column(name) is not None:
        return known
    known = known.with_made("column", f"{key}.{name}")
    if relation is None:
        return known
    kinds = {item["Constraint"]["contype"] for item in definition.get("constraints", ())}
    column = Column(name=name, type=from_type_name(definition["typeName"]), not_null="CONSTR_NOTNULL" in kinds)
    known = known.with_relation(key, columns=(*relation.columns, column)).with_stale(key, f"default {name}")
    return (
        known.with_stale(key, "constraints of new columns")
        if kinds - {"CONSTR_NOTNULL", "CONSTR_NULL", "CONSTR_DEFAULT"}
        else known
    )


def _drop_column(command: Node, key: str, _statement: Statement, known: Known) -> Known:
    relation = known.relation(key)
    name = str(command["name"])
    known = replace(known, made=known.made - {("column", f"{key}.{name}")})
    if relation is None:
        return known
    return known.with_relation(
        key,
        columns=tuple(column for column in relation.columns if column.name != name),
        indexes=tuple(index for index in relation.indexes if name not in index.depends_on),
        constraints=tuple(item for item in relation.constraints if name not in item.columns),
    )


def _set_column(command: Node, key: str, known: Known, **changes: object) -> Known:
    relation = known.relation(key)
    if relation is None:
        return known
    columns = tuple(
        replace(column, **changes) if column.name == command.get("name") else column  # type: ignore[arg-type]  # names are Column's
        for column in relation.columns
    )
    return known.with_relation(key, columns=columns)


def _default(command: Node, key: str, _statement: Statement, known: Known) -> Known:
    if "def" not in command:
        return _set_column(command, key, known, default=None)
    return known.with_stale(key, f"default {command['name']}")


def _set_not_null(command: Node, key: str, _statement: Statement, known: Known) -> Known:
    column = known.column(key, str(command["name"]))
    if column is None or column.not_null:
        return known
    return _set_column(command, key, known, not_null=True)


def _drop_not_null(command: Node, key: str, _statement: Statement, known: Known) -> Known:
    relation = known.relation(key)
    if relation is None:
        return known
    rest = tuple(item for item in relation.constraints if item.kind != "not null" or item.columns != (command["name"],))
    return _set_column(command, key, known.with_relation(key, constraints=rest), not_null=False)


def _type(command: Node, key: str, _statement: Statement, known: Known) -> Known:
    name = str(command["name"])
    changed = _set_column(command, key, known, type=from_type_name(command["def"]["ColumnDef"]["typeName"]))
    column = changed.column(key, name)
    return changed.with_stale(key, f"default {name}") if column is not None and column.default is not None else changed


_KINDS = {"CONSTR_CHECK": "check", "CONSTR_FOREIGN": "foreign key", "CONSTR_UNIQUE": "unique"}


def _add_constraint(command: Node, key: str, statement: Statement, known: Known) -> Known:
    body = command["def"]["Constraint"]
    name = body.get("conname") or body.get("indexname") or chosen_constraint_name(known, key, body)
    relation: Relation | None = known.relation(key)
    if relation is None:
        return known
    kind = _KINDS.get(body["contype"])
    definition = expression_after(statement, body) if "conname" in body else None
    if name is None or kind is None or definition is None or "indexname" in body:
        # keys change the columns, indexes that become constraints change their owner
        return known.with_stale(key, "constraints").with_stale(key, "indexes")
    made = Constraint(name=str(name), relation=key, kind=kind, definition=definition, columns=_columns(body))  # type: ignore[arg-type]  # from _KINDS
    return known.with_relation(key, constraints=(*relation.constraints, made)).with_made("constraint", f"{key}.{name}")


def _columns(body: Node) -> tuple[str, ...]:
    if "raw_expr" in body:
        return tuple(field for reference in find(body["raw_expr"], "ColumnRef") for field in strings(reference.get("fields")))
    return strings(body.get("keys")) or strings(body.get("fk_attrs"))


def _drop_constraint(command: Node, key: str, _statement: Statement, known: Known) -> Known:
    relation = known.relation(key)
    if relation is None:
        return known
    gone = relation.constraint(str(command["name"]))
    known = replace(known, made=known.made - {("constraint", f"{key}.{command['name']}")})
    indexes = tuple(item for item in relation.indexes if gone is None or item.constraint != gone.name)
    rest = tuple(item for item in relation.constraints if item.name != command["name"])
    columns = relation.columns
    if gone is not None and gone.kind == "not null":
        columns = tuple(replace(item, not_null=False) if item.name in gone.columns else item for item in columns)
    return known.with_relation(key, constraints=rest, indexes=indexes, columns=columns)


def _inert(_command: Node, _key: str, _statement: Statement, known: Known) -> Known:
    return known


def _setting(command: Node, key: str, _statement: Statement, known: Known) -> Known:
    aspect = str(command["subtype"]).removeprefix("AT_Set").upper()
    return known.with_stale(key, f"{aspect} {command.get('name')}")


def _stale(aspect: str) -> Callable[[Node, str, Statement, Known], Known]:
    return lambda _command, key, _statement, known: known.with_stale(key, aspect)


_COMMANDS: Mapping[str, Callable[[Node, str, Statement, Known], Known]] = {
    "AT_AddColumn": _add_column,
    "AT_AddConstraint": _add_constraint,
    "AT_AlterColumnType": _type,
    "AT_AlterConstraint": _stale("constraints"),
    "AT_ChangeOwner": _stale("owner"),
    "AT_ColumnDefault": _default,
    "AT_DisableRowSecurity": _stale("row security"),
    "AT_DisableTrig": _stale("triggers"),
    "AT_DropColumn": _drop_column,
    "AT_DropConstraint": _drop_constraint,
    "AT_DropNotNull": _drop_not_null,
    "AT_EnableRowSecurity": _stale("row security"),
    "AT_EnableTrig": _stale("triggers"),
    "AT_ReplicaIdentity": _stale("replica identity"),
    "AT_ResetRelOptions": _stale("options"),
    "AT_SetLogged": _stale("logging"),
    "AT_SetNotNull": _set_not_null,
    "AT_SetRelOptions": _stale("options"),
    "AT_SetCompression": _setting,
    "AT_SetStatistics": _setting,
    "AT_SetStorage": _setting,
    "AT_SetUnLogged": _stale("logging"),
    "AT_ValidateConstraint": _inert,
}
