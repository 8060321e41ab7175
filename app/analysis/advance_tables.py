"""How CREATE TABLE, ALTER TABLE and CREATE INDEX change what is known of a table."""

from collections.abc import Iterator
from dataclasses import replace

from app.analysis.state import State
from app.analysis.tables import ColumnFacts, ConstraintFacts, IndexFacts, Table, columns_in
from app.sql.names import SERIAL_TYPES, from_range_var, from_type_name, raw_type
from app.sql.tree import Node, commands, strings

_KINDS = {
    "CONSTR_CHECK": "check",
    "CONSTR_FOREIGN": "foreign key",
    "CONSTR_UNIQUE": "unique",
    "CONSTR_PRIMARY": "primary key",
    "CONSTR_EXCLUSION": "exclusion",
    "CONSTR_NOTNULL": "not null",
}
_SUFFIXES = {
    "check": "check",
    "foreign key": "fkey",
    "unique": "key",
    "primary key": "pkey",
    "exclusion": "excl",
    "not null": "not_null",
}
#: ON DELETE CASCADE, SET NULL, SET DEFAULT, as the tree abbreviates them
_CASCADING = frozenset({"c", "n", "d"})


def create_table(state: State, body: Node) -> None:
    """Add the table that a CreateStmt makes; IF NOT EXISTS over one that is there changes nothing."""
    node = body["relation"]
    if body.get("if_not_exists") and state.exists(from_range_var(node)):
        return
    schema = node.get("schemaname") or ("pg_temp" if node.get("relpersistence") == "t" else state.creation_schema)
    table = Table(
        name=f"{schema}.{node['relname']}",
        kind="partitioned table" if "partspec" in body else "table",
        is_new=True,
        is_known=True,
        partition_bound=bound_of(body.get("partbound")),
        partition_key=_partition_key(body.get("partspec")),
        is_unlogged=node.get("relpersistence") == "u",
    )
    state.tables[table.name] = table
    state.removed.discard(table.name)
    for parent in body.get("inhRelations", ()):
        _inherit(state, table, state.table_of(parent["RangeVar"]))
    for element in body.get("tableElts", ()):
        if "ColumnDef" in element:
            add_column(state, table, element["ColumnDef"])
        elif "Constraint" in element:
            add_constraint(state, table, element["Constraint"])
        elif "TableLikeClause" in element:
            _copy_like(state, table, state.table_of(element["TableLikeClause"]["relation"]))


def _inherit(state: State, table: Table, parent: Table) -> None:
    state.add_child(parent.name, table)
    table.columns.update((name, replace(column)) for name, column in parent.columns.items())
    if not table.partition_key:
        table.is_known = table.is_known and parent.is_known


def _copy_like(state: State, table: Table, source: Table) -> None:
    del state
    table.columns.update((name, replace(column)) for name, column in source.columns.items())
    table.constraints.update(
        (name, replace(constraint)) for name, constraint in source.constraints.items() if constraint.kind in {"check", "not null"}
    )


def bound_of(node: Node | None) -> str | None:
    """What is kept of a partition's bound: whether it is the default partition."""
    if node is None:
        return None
    return "DEFAULT" if node.get("is_default") else "FOR VALUES"


def _partition_key(node: Node | None) -> tuple[str, ...]:
    elements = (node or {}).get("partParams", ())
    return tuple(str(element["PartitionElem"].get("name", "")) for element in elements)


def column_type(definition: Node) -> str | None:
    """The type of a ColumnDef as format_type() prints it."""
    return from_type_name(definition["typeName"]) if "typeName" in definition else None


def add_column(state: State, table: Table, definition: Node) -> None:
    """Add a column with its inline constraints."""
    name = str(definition["colname"])
    is_serial = raw_type(definition.get("typeName", {})) in SERIAL_TYPES
    column = ColumnFacts(name=name, type=column_type(definition), not_null=is_serial, has_default=is_serial, is_new=True)
    table.columns[name] = column
    for entry in definition.get("constraints", ()):
        constraint = entry["Constraint"]
        contype = constraint.get("contype")
        if contype == "CONSTR_DEFAULT":
            column.has_default = True
        elif contype == "CONSTR_IDENTITY":
            column.identity, column.not_null = "always", True
        elif contype == "CONSTR_GENERATED":
            column.generated = "virtual" if constraint.get("generated_kind") == "v" else "stored"
            column.expression = " ".join(columns_in(constraint.get("raw_expr")))
        elif contype == "CONSTR_NOTNULL":
            column.not_null = True
        else:
            add_constraint(state, table, constraint, column=name)


def constraint_from(state: State, table: Table, node: Node, *, column: str | None = None) -> ConstraintFacts | None:
    """The facts of a Constraint node; None for what is no constraint of its own (DEFAULT, attributes)."""
    kind = _KINDS.get(str(node.get("contype")))
    if kind is None:
        return None
    columns = (column,) if column else strings(node.get("fk_attrs") or node.get("keys"))
    expression = node.get("raw_expr")
    if kind == "check" and not columns:
        columns = tuple(sorted(columns_in(expression)))
    if node.get("indexname") and not columns:
        _, index = state.index(str(node["indexname"]))
        columns = tuple(name for name in index.columns if name) if index else ()
    named = "_".join((table.name.rpartition(".")[2], *(columns if kind != "primary key" else ()), _SUFFIXES[kind]))
    parent = node.get("pktable")
    return ConstraintFacts(
        name=str(node.get("conname") or node.get("indexname") or named),
        kind=kind,
        columns=columns,
        is_validated=not node.get("skip_validation", False),
        is_enforced=bool(node.get("is_enforced", True)) or kind not in {"check", "foreign key"},
        expression=expression,
        references=state.qualify(from_range_var(parent)) if parent else None,
        referenced_columns=strings(node.get("pk_attrs")),
        cascades=node.get("fk_del_action") in _CASCADING,
        index=f"{table.name.rpartition('.')[0]}.{node['indexname']}" if node.get("indexname") else None,
        is_new=True,
    )


def add_constraint(state: State, table: Table, node: Node, *, column: str | None = None) -> None:
    """Add a constraint, with the index and the NOT NULL that come with it."""
    constraint = constraint_from(state, table, node, column=column)
    if constraint is None:
        return
    table.constraints[constraint.name] = constraint
    if constraint.references:
        state.add_reference(constraint.references, table.name)
    if constraint.kind in {"unique", "primary key"}:
        schema = table.name.rpartition(".")[0]
        if constraint.index in table.indexes:
            table.indexes[constraint.index].constraint = constraint.name
        else:
            name = constraint.index = f"{schema}.{constraint.name}"
            state.add_index(
                table, IndexFacts(name=name, columns=constraint.columns, is_unique=True, constraint=constraint.name, is_new=True)
            )
    if constraint.kind in {"primary key", "not null"}:
        for name in constraint.columns:
            if name in table.columns:
                table.columns[name].not_null = True


def index_from(table: Table, body: Node) -> IndexFacts:
    """The facts of the index that an IndexStmt makes."""
    elements = [entry["IndexElem"] for entry in body.get("indexParams", ())]
    columns = tuple(element.get("name") for element in elements)
    depends = columns_in([element.get("expr") for element in elements]) | columns_in(body.get("whereClause"))
    bare = table.name.rpartition(".")[2]
    named = body.get("idxname") or "_".join((bare, *(name or "expr" for name in columns), "idx"))
    return IndexFacts(
        name=f"{table.name.rpartition('.')[0]}.{named}",
        columns=columns,
        is_unique=bool(body.get("unique")),
        depends_on=tuple(depends | {name for name in columns if name}),
        has_predicate="whereClause" in body,
        is_new=True,
    )


def is_there_already(table: Table, command: Node) -> bool:
    """True for ADD COLUMN IF NOT EXISTS of a column that the table has: nothing happens."""
    return bool(command.get("missing_ok")) and command["def"]["ColumnDef"].get("colname") in table.columns


def added_columns(table: Table, body: Node) -> Iterator[tuple[Node, list[Node]]]:
    """Each ColumnDef that an AlterTableStmt adds, with its inline Constraint nodes."""
    for command in commands(body):
        if command.get("subtype") == "AT_AddColumn" and not is_there_already(table, command):
            definition = command["def"]["ColumnDef"]
            yield definition, [entry["Constraint"] for entry in definition.get("constraints", ())]
