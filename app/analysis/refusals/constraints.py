"""ALTER TABLE's commands on constraints, and indexes, that PostgreSQL will refuse."""

from collections.abc import Callable, Iterator, Sequence

from app.analysis.context import Context
from app.analysis.refusals.columns import is_incomparable
from app.analysis.refusals.refusal import Refusal
from app.analysis.tables import ConstraintFacts, Table
from app.analysis.type_change import parts_of
from app.sql.tree import Node, commands, strings

_NEEDED, _INVALID_TABLE, _UNSUPPORTED = "2BP01", "42P16", "0A000"


def refusals(context: Context) -> Iterator[Refusal]:
    """The reasons of an ALTER TABLE or CREATE INDEX on a table that the target has."""
    if context.kind == "IndexStmt":
        yield from _index(context, context.state.table_of(context.body["relation"]))
    table = context.table
    if table is None or not table.is_known:
        return
    for command in commands(context.body):
        look = _LOOKS.get(str(command.get("subtype")))
        if look:
            yield from look(context, table, command)


def _index(context: Context, table: Table) -> Iterator[Refusal]:
    columns = [entry["IndexElem"].get("name") for entry in context.body.get("indexParams", ())]
    if table.is_new or not table.is_known:
        return
    if context.body.get("unique"):
        yield from _lacks_partition_key(table, columns)
    yield from _is_virtual(table, columns)


def _lacks_partition_key(table: Table, columns: Sequence[str | None]) -> Iterator[Refusal]:
    missing = [name for name in table.partition_key if name in table.columns and name not in columns]
    if table.is_partitioned and missing:
        yield Refusal(
            sqlstate=_UNSUPPORTED,
            reason=f"a unique index of the partitioned table {table.name} must hold its partition key ({', '.join(missing)})",
        )


def _is_virtual(table: Table, columns: Sequence[str | None]) -> Iterator[Refusal]:
    for name in columns:
        if name in table.columns and table.columns[name].generated == "virtual":
            yield Refusal(sqlstate=_UNSUPPORTED, reason=f"{name} is a virtual generated column, which takes no index and no key")


def _add(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    constraint = command["def"]["Constraint"]
    contype = constraint.get("contype")
    if contype in {"CONSTR_UNIQUE", "CONSTR_PRIMARY"}:
        columns = strings(constraint.get("keys"))
        if constraint.get("indexname"):
            if table.is_partitioned:
                yield Refusal(sqlstate=_UNSUPPORTED, reason=f"{table.name} is partitioned, where USING INDEX is not possible")
        else:
            yield from _lacks_partition_key(table, columns)
            yield from _is_virtual(table, columns)
    if contype == "CONSTR_PRIMARY":
        yield from _second_primary_key(context, table)
    elif contype == "CONSTR_FOREIGN":
        yield from _foreign_key(context, table, constraint)
    elif contype == "CONSTR_CHECK":
        yield from _check(context, table, constraint)


def _check(context: Context, table: Table, constraint: Node) -> Iterator[Refusal]:
    is_only = not context.body.get("relation", {}).get("inh", False)
    if constraint.get("is_no_inherit"):
        if table.is_partitioned:
            yield Refusal(sqlstate=_INVALID_TABLE, reason=f"{table.name} is partitioned, where NO INHERIT is not possible")
    elif is_only and any(context.state.children(table.name)):
        yield Refusal(
            sqlstate=_INVALID_TABLE, reason=f"{table.name} has partitions or heirs, and the constraint must be added to them too"
        )


def _second_primary_key(context: Context, table: Table) -> Iterator[Refusal]:
    dropped = {str(other.get("name")) for other in commands(context.body) if other.get("subtype") == "AT_DropConstraint"}
    present = [fact.name for fact in table.constraints.values() if fact.kind == "primary key" and fact.name not in dropped]
    if present:
        yield Refusal(sqlstate=_INVALID_TABLE, reason=f"{table.name} has the primary key {present[0]} already")


def _foreign_key(context: Context, table: Table, constraint: Node) -> Iterator[Refusal]:
    parent = context.state.table_of(constraint["pktable"])
    own, other = strings(constraint.get("fk_attrs")), strings(constraint.get("pk_attrs"))
    yield from _is_virtual(table, own)
    if not parent.is_known or parent.is_new:
        return
    key = next((fact for fact in parent.constraints.values() if fact.kind == "primary key"), None)
    if not other and key is None:
        yield Refusal(sqlstate="42704", reason=f"{parent.name} has no primary key to reference")
    elif other and not _has_key(parent, other):
        yield Refusal(
            sqlstate="42830",
            reason=f"{parent.name} has no unique index on ({', '.join(other)})",
            safer="-- CREATE UNIQUE INDEX CONCURRENTLY on it first",
        )
    for first, second in zip(own, other or (key.columns if key else ()), strict=False):
        types = [found.type for found in (table.columns.get(first), parent.columns.get(second)) if found]
        if len(types) == 2 and None not in types:  # noqa: PLR2004  # both ends
            bases = [parts_of(str(type_)).base for type_ in types]
            if is_incomparable(*bases):
                yield Refusal(sqlstate="42804", reason=f"{first} is {types[0]} and {parent.name}.{second} is {types[1]}")


def _has_key(table: Table, columns: Sequence[str]) -> bool:
    return any(
        index.is_unique and not index.has_predicate and None not in index.columns and set(index.columns) == set(columns)
        for index in table.indexes.values()
    )


def _drop(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    found = table.constraints.get(str(command.get("name")))
    if found is None:
        return
    if _is_from_parent(context, table, found):
        yield Refusal(sqlstate=_INVALID_TABLE, reason=f"{found.name} of {table.name} comes from its parent, where it is dropped")
    elif found.kind in {"primary key", "unique"} and command.get("behavior") != "DROP_CASCADE":
        yield from _is_referenced(context, table, found)


def _is_from_parent(context: Context, table: Table, found: ConstraintFacts) -> bool:
    """True for a CHECK or foreign key that a partition has from its parent."""
    if found.kind not in {"check", "foreign key"} or not table.partition_bound:
        return False
    return any(found.name in context.state.table(parent).constraints for parent in table.parents)


def _is_referenced(context: Context, table: Table, found: ConstraintFacts) -> Iterator[Refusal]:
    others = [index for index in table.indexes.values() if index.is_unique and set(index.columns) == set(found.columns)]
    dropped = {str(other.get("name")) for other in commands(context.body) if other.get("subtype") == "AT_DropConstraint"}
    users = [
        f"{constraint.name} of {child.name}"
        for child, constraint in context.state.referencing(table.name)
        if set(constraint.referenced_columns) == set(found.columns)
        and not (child.name == table.name and constraint.name in dropped)
    ]
    if users and len(others) == 1:
        yield Refusal(
            sqlstate=_NEEDED,
            reason=f"{found.name} of {table.name} is needed by the foreign key {', '.join(users)}",
            safer="-- drop the foreign key first, by name",
        )


def _alter(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    del context
    change = command["def"]["ATAlterConstraint"]
    found = table.constraints.get(str(change.get("conname")))
    if (
        found is not None
        and found.kind != "foreign key"
        and (change.get("alterEnforceability") or change.get("alterDeferrability"))
    ):
        yield Refusal(
            sqlstate="42809", reason=f"{found.name} of {table.name} is no foreign key, and only those can be altered so"
        )


_LOOKS: dict[str, Callable[[Context, Table, Node], Iterator[Refusal]]] = {
    "AT_AddConstraint": _add,
    "AT_DropConstraint": _drop,
    "AT_AlterConstraint": _alter,
}
