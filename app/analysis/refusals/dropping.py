"""DROP and TRUNCATE of what something else still needs, without CASCADE."""

import re
from collections.abc import Callable, Iterator

from app.analysis.context import Context
from app.analysis.refusals.refusal import Refusal
from app.analysis.tables import Table
from app.analysis.users import type_users
from app.sql.names import from_object, quote_qualified
from app.sql.tree import Node

_NEEDED = "2BP01"


def refusals(context: Context) -> Iterator[Refusal]:
    """The reasons of a DROP or TRUNCATE."""
    if context.kind == "TruncateStmt":
        yield from _truncate(context)
    elif context.kind == "DropStmt":
        kind = str(context.body.get("removeType"))
        look = _LOOKS.get(kind)
        if look and (kind == "OBJECT_INDEX" or context.body.get("behavior") != "DROP_CASCADE"):
            for entry in context.body.get("objects", ()):
                yield from look(context, entry)


def users_of(context: Context, table: Table, *, column: str | None = None, without: frozenset[str] = frozenset()) -> list[str]:
    """Views, foreign keys and policies elsewhere that need a relation, or one of its columns."""
    found = [
        f"the {kind} {name}"
        for kind, name, columns in table.dependents
        if kind in {"view", "materialized view"}
        and (column is None or column in columns)
        and context.state.exists(name)
        and name not in context.state.redefined
    ]
    for child, constraint in context.state.referencing(table.name):
        is_own = child.name == table.name and (column is None or column in constraint.columns)
        is_inside = is_own or child.name in without or context.state.is_inherited(child, constraint)
        if not is_inside and (column is None or column in constraint.referenced_columns):
            found.append(f"the foreign key {constraint.name} of {child.name}")
    return list(dict.fromkeys(found))


def _needed(what: str, users: list[str]) -> Refusal:
    return Refusal(
        sqlstate=_NEEDED, reason=f"{what} is needed by {', '.join(users)}", safer="-- drop what needs it first, by name"
    )


def _table(context: Context, entry: Node) -> Iterator[Refusal]:
    table = context.state.table(from_object(entry))
    if table.is_new or not table.is_known:
        return
    also = frozenset(context.state.qualify(from_object(other)) for other in context.body.get("objects", ()))
    users = users_of(context, table, without=also)
    children = list(context.state.children(table.name))
    if not table.is_partitioned:
        users += [f"the heir {child.name}" for child in children if child.name not in also]
    for child in children if table.is_partitioned else ():
        users += users_of(context, child, without=also | {each.name for each in children} | {table.name})
    if users:
        yield _needed(table.name, users)


def _view(context: Context, entry: Node) -> Iterator[Refusal]:
    view = context.state.table(from_object(entry))
    also = {context.state.qualify(from_object(other)) for other in context.body.get("objects", ())}
    users = [user for user in users_of(context, view) if user.rpartition(" ")[2] not in also]
    if not view.is_new and users:
        yield _needed(view.name, users)


def _index(context: Context, entry: Node) -> Iterator[Refusal]:
    table, index = context.state.index(from_object(entry))
    if table is None or index is None or index.constraint is None:
        return
    yield Refusal(
        sqlstate=_NEEDED,
        reason=f"the constraint {index.constraint} of {table.name} requires the index {index.name}",
        safer=f"ALTER TABLE {quote_qualified(table.name)} DROP CONSTRAINT {quote_qualified(index.constraint)};",
    )


def _type(context: Context, entry: Node) -> Iterator[Refusal]:
    name = from_object(entry)
    users = [f"a column of {table.name}" for table in type_users(context.state, name.rpartition(".")[2]) if not table.is_new]
    if users and context.state.schema is not None and name not in context.state.new_types:
        yield _needed(f"the type {name}", users)


def _extension(context: Context, entry: Node) -> Iterator[Refusal]:
    name = from_object(entry)
    if context.state.schema is not None and name in context.state.schema.extensions:
        users = [f"a column of {table.name}" for table in type_users(context.state, name)]
        if users:
            yield _needed(f"the extension {name}", users)


def _schema(context: Context, entry: Node) -> Iterator[Refusal]:
    prefix = f"{from_object(entry)}."
    catalog = context.state.schema
    names = (*catalog.relations, *catalog.sequences, *catalog.domains, *catalog.enums) if catalog else ()
    inside = [name for name in names if name.startswith(prefix) and name not in context.state.removed]
    if inside:
        yield _needed(f"the schema {from_object(entry)}", inside[:3])


def _function(context: Context, entry: Node) -> Iterator[Refusal]:
    name = from_object(entry)
    called = re.compile(rf'(?<![\w"]){re.escape(name.rpartition(".")[2])}\(')
    if name.rpartition(".")[2] in context.state.functions:
        return
    relations = context.state.schema.relations if context.state.schema else {}
    users = []
    for relation in relations:
        table = context.state.table(relation) if relation not in context.state.removed else None
        if table is None or table.is_new:
            continue
        users += [f"the trigger {trigger} of {table.name}" for trigger, text in table.triggers.items() if called.search(text)]
        users += [f"the index {index.name}" for index in table.indexes.values() if called.search(index.definition)]
    if users:
        yield _needed(f"the function {name}", users)


def _sequence(context: Context, entry: Node) -> Iterator[Refusal]:
    sequence = context.state.table(from_object(entry))
    catalog = context.state.schema
    relations = catalog.relations.values() if catalog and not sequence.is_new else ()
    bare = sequence.name.rpartition(".")[2]
    for relation in relations:
        table = context.state.table(relation.name) if relation.name not in context.state.removed else None
        for column in relation.columns if table else ():
            known = table.columns.get(column.name) if table else None
            if known is None or not (known.has_default or known.identity):
                continue
            takes = "nextval(" in (column.default or "") and re.search(rf"\b{re.escape(bare)}\b", column.default or "")
            if takes or (known.identity and column.owned_sequence == sequence.name):
                yield _needed(f"the sequence {sequence.name}", [f"the column {column.name} of {relation.name}"])


def _truncate(context: Context) -> Iterator[Refusal]:
    if context.body.get("behavior") == "DROP_CASCADE":
        return
    named = [context.state.table_of(entry["RangeVar"]) for entry in context.body.get("relations", ())]
    inside = {each.name for table in named for each in (table, *context.state.children(table.name))}
    for table in named:
        users = [
            f"the foreign key {constraint.name} of {child.name}"
            for child, constraint in context.state.referencing(table.name)
            if child.name not in inside and not context.state.is_inherited(child, constraint)
        ]
        if users:
            yield Refusal(
                sqlstate="0A000",
                reason=f"{table.name} is referenced by {', '.join(users)}",
                safer="-- TRUNCATE both tables in one statement, or delete in batches",
            )


_LOOKS: dict[str, Callable[[Context, Node], Iterator[Refusal]]] = {
    "OBJECT_TABLE": _table,
    "OBJECT_VIEW": _view,
    "OBJECT_MATVIEW": _view,
    "OBJECT_INDEX": _index,
    "OBJECT_TYPE": _type,
    "OBJECT_DOMAIN": _type,
    "OBJECT_EXTENSION": _extension,
    "OBJECT_SCHEMA": _schema,
    "OBJECT_FUNCTION": _function,
    "OBJECT_SEQUENCE": _sequence,
}
