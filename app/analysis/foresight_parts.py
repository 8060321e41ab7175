"""Columns, constraints, indexes and tables as the statement that makes them says they will be."""

from collections.abc import Iterator
from dataclasses import replace

from app.catalog.records import Column, Constraint, ConstraintKind, Index, Relation
from app.sql.deparse import alter_table_sql, expression_sql
from app.sql.inverse.chosen_names import chosen_constraint_name, chosen_index_name, object_name
from app.sql.inverse.known import Known
from app.sql.inverse.pieces import without_concurrently
from app.sql.names import SERIAL_TYPES, from_type_name, raw_type
from app.sql.split import Statement
from app.sql.tree import Node, find, strings

_KINDS: dict[str, ConstraintKind] = {
    "CONSTR_CHECK": "check",
    "CONSTR_EXCLUSION": "exclusion",
    "CONSTR_FOREIGN": "foreign key",
    "CONSTR_NOTNULL": "not null",
    "CONSTR_PRIMARY": "primary key",
    "CONSTR_UNIQUE": "unique",
}
#: of a table that a CREATE TABLE may have, and that say more than its own text does
_UNFORESEEN = ("inhRelations", "ofTypename", "partbound", "accessMethod", "options")


class Doubt(Exception):  # noqa: N818 - it is no error: the plan may be right
    """It is not certain what a statement leaves; ``reason`` completes "the statement in line 3 ..."."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def created(name: str, body: Node, known: Known) -> Relation:
    """The table that a CREATE TABLE makes.

    Raises Doubt.
    """
    if any(part in body for part in _UNFORESEEN):
        raise Doubt("makes a table after the model of another one, or with options")
    relation = Relation(name=name, kind="partitioned table" if "partspec" in body else "table")
    if "partspec" in body:
        raise Doubt("makes a partitioned table")
    if any("TableLikeClause" in element for element in body.get("tableElts", ())):
        raise Doubt("copies another table's columns")
    relation = replace(relation, is_unlogged=body["relation"].get("relpersistence") == "u")
    definitions = [element["ColumnDef"] for element in body.get("tableElts", ()) if "ColumnDef" in element]
    relation = replace(relation, columns=tuple(column_of(name, definition) for definition in definitions))
    for constraint in [*_of_columns(definitions), *_of_table(body)]:
        known = _with(known, relation)
        relation = with_constraint(relation, constraint, known)
    return relation


def _of_table(body: Node) -> Iterator[Node]:
    for element in [*body.get("tableElts", ()), *body.get("constraints", ())]:
        if "Constraint" in element:
            yield element["Constraint"]


def _of_columns(definitions: list[Node]) -> Iterator[Node]:
    for definition in definitions:
        yield from constraints_of(definition)


def _with(known: Known, relation: Relation) -> Known:
    assert known.schema is not None  # noqa: S101 - foresight always has a catalog
    return replace(known, schema=replace(known.schema, relations={**known.schema.relations, relation.name: relation}))


def column_of(table: str, definition: Node) -> Column:
    """A column as it will be.

    Raises Doubt for what the text does not say.
    """
    name, internal = str(definition["colname"]), raw_type(definition["typeName"])
    column = Column(name=name, type=from_type_name(definition["typeName"]))
    if internal in SERIAL_TYPES:
        schema, _, bare = table.rpartition(".")
        sequence = f"{schema}.{object_name(bare, name, 'seq')}"
        column = replace(column, not_null=True, default=f"nextval('{sequence}'::regclass)", owned_sequence=sequence)
    if "collClause" in definition:
        column = replace(column, collation=".".join(strings(definition["collClause"].get("collname"))))
    for entry in definition.get("constraints", ()):
        column = _with_column_constraint(column, entry["Constraint"])
    return column


def _with_column_constraint(column: Column, body: Node) -> Column:
    kind = body.get("contype")
    if kind in {"CONSTR_NOTNULL", "CONSTR_PRIMARY"}:
        return replace(column, not_null=True)
    if kind == "CONSTR_DEFAULT":
        return replace(column, default=default_of(body["raw_expr"]))
    if kind == "CONSTR_IDENTITY":
        return replace(column, not_null=True, identity="always" if body.get("generated_when") == "a" else "by default")
    if kind == "CONSTR_GENERATED":
        stored = body.get("generated_kind") == "s"
        return replace(column, default=expression_sql(body["raw_expr"]), generated="stored" if stored else "virtual")
    return column


def default_of(expression: Node | None) -> str | None:
    """The SQL of a default; DEFAULT NULL is none."""
    bare = expression
    while bare and "TypeCast" in bare:
        bare = bare["TypeCast"].get("arg")
    return None if not expression or (bare or {}).get("A_Const", {}).get("isnull") else expression_sql(expression)


def constraints_of(definition: Node) -> Iterator[Node]:
    """The constraints of a ColumnDef as if they were the table's: with the column among their keys."""
    key = [{"String": {"sval": definition["colname"]}}]
    for entry in definition.get("constraints", ()):
        body = entry["Constraint"]
        if body.get("contype") in {"CONSTR_PRIMARY", "CONSTR_UNIQUE"}:
            yield {**body, "keys": key}
        elif body.get("contype") == "CONSTR_FOREIGN":
            yield {**body, "fk_attrs": key}
        elif body.get("contype") == "CONSTR_CHECK":
            yield body


def with_constraint(relation: Relation, body: Node, known: Known) -> Relation:
    """The relation with one more constraint, and with the index and the NOT NULL that come with it.

    Raises Doubt.
    """
    kind = _KINDS.get(str(body.get("contype")))
    if kind is None or "indexname" in body:
        raise Doubt("makes a constraint of an index that is there")
    name = body.get("conname") or chosen_constraint_name(known, relation.name, body)
    if name is None:
        raise Doubt("makes a constraint whose name PostgreSQL chooses")
    columns = _columns(body)
    if kind == "foreign key":
        _check_parent(relation, body, known)
    made = Constraint(
        name=str(name),
        relation=relation.name,
        kind=kind,
        definition=constraint_sql(body),
        columns=columns,
        is_validated=not body.get("skip_validation"),
        references=known.key(body["pktable"]) if kind == "foreign key" else None,
        referenced_columns=strings(body.get("pk_attrs")),
    )
    changed = replace(relation, constraints=(*relation.constraints, made))
    if kind == "primary key" or (kind == "not null" and made.is_validated):
        changed = replace(
            changed, columns=tuple(replace(each, not_null=each.not_null or each.name in columns) for each in changed.columns)
        )
    if kind in {"primary key", "unique", "exclusion"}:
        index = Index(
            name=f"{relation.name.rpartition('.')[0]}.{name}",
            relation=relation.name,
            definition="",
            columns=columns,
            depends_on=columns,
            constraint=str(name),
        )
        changed = replace(changed, indexes=(*changed.indexes, index))
    return changed


def _check_parent(relation: Relation, body: Node, known: Known) -> None:
    """Raise Doubt where a foreign key comes with copies for partitions, or says less than it means."""
    name = known.key(body["pktable"])
    parent = known.schema.relations.get(name) if known.schema is not None and name != relation.name else relation
    if parent is None or parent.kind != "table":
        raise Doubt("references a table that is partitioned, or not known")


def constraint_sql(body: Node) -> str:
    """A constraint's definition without its name, as pg_get_constraintdef() would begin it."""
    bare = {key: value for key, value in body.items() if key != "conname"}
    written = alter_table_sql({"relname": "t", "inh": True}, {"subtype": "AT_AddConstraint", "def": {"Constraint": bare}})
    return written.removeprefix("ALTER TABLE t ADD ")


def _columns(body: Node) -> tuple[str, ...]:
    if "raw_expr" in body:
        used = (strings(reference.get("fields"))[-1:] for reference in find(body["raw_expr"], "ColumnRef"))
        return tuple(dict.fromkeys(name for names in used for name in names))
    return strings(body.get("keys")) or strings(body.get("fk_attrs"))


def index_of(relation: Relation, statement: Statement, known: Known) -> Index:
    """The index that a CREATE INDEX makes.

    Raises Doubt.
    """
    body = statement.body
    name = body.get("idxname") or chosen_index_name(known, relation.name, body)
    if name is None:
        raise Doubt("makes an index whose name PostgreSQL chooses")
    qualified = f"{relation.name.rpartition('.')[0]}.{name}"
    return Index(
        name=qualified,
        relation=relation.name,
        definition=" ".join(without_concurrently(statement.text).split()),
        columns=tuple(entry["IndexElem"].get("name") for entry in body.get("indexParams", ())),
        is_unique=bool(body.get("unique")),
        depends_on=tuple(name for reference in find(body, "ColumnRef") for name in strings(reference.get("fields")))
        + tuple(entry["IndexElem"]["name"] for entry in body.get("indexParams", ()) if "name" in entry["IndexElem"]),
    )
