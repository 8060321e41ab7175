"""ALTER TABLE's commands on columns that PostgreSQL will refuse."""

import re
from collections.abc import Callable, Iterator

from app.analysis.column_types import change_of
from app.analysis.context import Context
from app.analysis.domains import base_of
from app.analysis.refusals.dropping import users_of
from app.analysis.refusals.refusal import Refusal
from app.analysis.tables import Table
from app.analysis.type_change import parts_of
from app.sql.names import from_type_name
from app.sql.tree import Node, commands

_NEEDED, _INVALID_TABLE, _SYNTAX, _UNSUPPORTED = "2BP01", "42P16", "42601", "0A000"
#: commands that can't leave partitions and heirs out
_NOT_ONLY = {
    "AT_AddColumn": "the column must be added to its children too",
    "AT_AlterColumnType": "the type must be changed in its children too",
}
_TEXTS = frozenset({"text", "character varying", "character", "citext"})
_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"})
#: types that a text becomes only by USING
_NEVER_FROM_TEXT = _NUMBERS | {
    "boolean",
    "uuid",
    "json",
    "jsonb",
    "date",
    "timestamp without time zone",
    "timestamp with time zone",
    "time without time zone",
    "interval",
    "bytea",
    "inet",
    "cidr",
}


def refusals(context: Context) -> Iterator[Refusal]:
    """The reasons of an ALTER TABLE on a table that the target has, and of a RENAME of a column."""
    if context.kind == "RenameStmt" and context.body.get("renameType") == "OBJECT_COLUMN" and "relation" in context.body:
        yield from _rename(context, context.state.table_of(context.body["relation"]))
    table = context.table
    if table is None or not table.is_known:
        return
    is_only = not context.body.get("relation", {}).get("inh", False)
    for command in commands(context.body):
        subtype = str(command.get("subtype"))
        if is_only and subtype in _NOT_ONLY and any(context.state.children(table.name)):
            yield Refusal(sqlstate=_INVALID_TABLE, reason=f"{table.name} has partitions or heirs, and {_NOT_ONLY[subtype]}")
        look = _LOOKS.get(subtype)
        if look:
            yield from look(context, table, command)


def is_inherited(context: Context, table: Table, column: str) -> bool:
    """True for a column that a partition or heir has from its parent."""
    return any(column in context.state.table(parent).columns for parent in table.parents)


def users_in_table(table: Table, column: str) -> list[str]:
    """Generated columns, policies and triggers of the table itself that name a column."""
    named = re.compile(rf'(?<![\w"]){re.escape(column)}(?![\w"])')
    found = [
        f"the generated column {other.name}"
        for other in table.columns.values()
        if other.expression and other.name != column and named.search(other.expression)
    ]
    found += [f"the policy {name}" for name, text in table.policies.items() if named.search(text.partition("(")[2])]
    for trigger, definition in table.triggers.items():
        events, _, condition = definition.partition(" ON ")
        if named.search(events.partition(" OF ")[2]) or named.search(condition.partition(" WHEN ")[2].partition(" EXECUTE ")[0]):
            found.append(f"the trigger {trigger}")
    return found


def _add(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    del command
    if table.partition_bound and any(context.state.table(parent).is_partitioned for parent in table.parents):
        yield Refusal(sqlstate="42809", reason=f"{table.name} is a partition: a column is added to its parent")


def _drop(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    name = str(command.get("name"))
    if name not in table.columns:
        return
    if name in table.partition_key:
        yield Refusal(sqlstate=_INVALID_TABLE, reason=f"{name} is part of the partition key of {table.name}")
    if is_inherited(context, table, name):
        yield Refusal(sqlstate=_INVALID_TABLE, reason=f"{name} of {table.name} comes from its parent, where it is dropped")
    elif command.get("behavior") != "DROP_CASCADE":
        users = [*users_of(context, table, column=name), *users_in_table(table, name)]
        if users:
            yield Refusal(
                sqlstate=_NEEDED,
                reason=f"{table.name}.{name} is needed by {', '.join(users)}",
                safer="-- drop what needs it first, by name",
            )


def _change_type(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    name, definition = str(command.get("name")), command["def"]["ColumnDef"]
    column = table.columns.get(name)
    if column is None or column.type is None:
        return
    if name in table.partition_key:
        yield Refusal(sqlstate=_INVALID_TABLE, reason=f"{name} is part of the partition key of {table.name}")
    if is_inherited(context, table, name):
        yield Refusal(sqlstate=_INVALID_TABLE, reason=f"{name} of {table.name} comes from its parent, where its type is changed")
    before, after = (parts_of(base_of(context.state, type_)) for type_ in (column.type, from_type_name(definition["typeName"])))
    scalar = not before.dimensions and not after.dimensions
    if scalar and "raw_default" not in definition and before.base in _TEXTS and after.base in _NEVER_FROM_TEXT:
        yield Refusal(
            sqlstate="42804",
            reason=f"{name} can't be cast from {column.type} to {after.base} automatically",
            safer=f"-- ... TYPE {after.base} USING {name}::{after.base}",
        )
    change = change_of(context.state, table, command, is_utc=context.options.is_utc)
    for other in _other_ends(context, table, name) if change.work != "nothing" and scalar else ():
        if other is not None and is_incomparable(after.base, parts_of(base_of(context.state, other)).base):
            yield Refusal(sqlstate="42804", reason=f"{name} would be {after.base}, and a foreign key compares it with {other}")


def _other_ends(context: Context, table: Table, column: str) -> Iterator[str | None]:
    """The types of the columns that foreign keys compare a column with."""
    for constraint in table.constraints.values():
        if constraint.references and column in constraint.columns and constraint.referenced_columns:
            other = constraint.referenced_columns[constraint.columns.index(column)]
            found = context.state.table(constraint.references).columns.get(other)
            yield found.type if found else None
    for child, constraint in context.state.referencing(table.name):
        if column in constraint.referenced_columns:
            found = child.columns.get(constraint.columns[constraint.referenced_columns.index(column)])
            yield found.type if found else None


def is_incomparable(first: str, second: str) -> bool:
    """True for two types that no operator of a foreign key compares; False where either is not known."""
    families = (_NUMBERS, _TEXTS, {"uuid"}, {"boolean"}, {"date", "timestamp without time zone", "timestamp with time zone"})
    own = [next((family for family in families if name in family), None) for name in (first, second)]
    return None not in own and own[0] is not own[1]


def _drop_not_null(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    name = str(command.get("name"))
    column = table.columns.get(name)
    if column is None:
        return
    if column.identity:
        yield Refusal(sqlstate=_SYNTAX, reason=f"{name} of {table.name} is an identity column, which is NOT NULL")
    elif any(fact.kind == "primary key" and name in fact.columns for fact in table.constraints.values()):
        yield Refusal(sqlstate=_INVALID_TABLE, reason=f"{name} is in the primary key of {table.name}")
    elif any(_is_not_null(context.state.table(parent), name) for parent in table.parents if table.partition_bound):
        yield Refusal(sqlstate=_INVALID_TABLE, reason=f"{name} is NOT NULL in the parent of {table.name}")


def _is_not_null(table: Table, column: str) -> bool:
    return column in table.columns and table.columns[column].not_null


def _set_not_null(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    is_only = not context.body.get("relation", {}).get("inh", False)
    name = str(command.get("name"))
    if is_only and table.is_partitioned and not _is_not_null(table, name) and any(context.state.children(table.name)):
        yield Refusal(sqlstate=_INVALID_TABLE, reason=f"{table.name} has partitions, which must be NOT NULL too")


def _add_identity(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    name = str(command.get("name"))
    column = table.columns.get(name)
    if column is None:
        return
    dropped = any(
        other.get("subtype") == "AT_ColumnDefault" and other.get("name") == name and "def" not in other
        for other in commands(context.body)
    )
    set_here = any(other.get("subtype") == "AT_SetNotNull" and other.get("name") == name for other in commands(context.body))
    if column.identity:
        yield Refusal(sqlstate="55000", reason=f"{name} of {table.name} is an identity column already")
    elif column.has_default and not dropped:
        yield Refusal(sqlstate="55000", reason=f"{name} of {table.name} has a default", safer="-- DROP DEFAULT first")
    elif not column.not_null and not set_here:
        yield Refusal(sqlstate="55000", reason=f"{name} of {table.name} may hold NULL", safer="-- SET NOT NULL first")


def _default(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    del context
    column = table.columns.get(str(command.get("name")))
    if column is not None and column.identity:
        yield Refusal(sqlstate=_SYNTAX, reason=f"{column.name} of {table.name} is an identity column")
    elif column is not None and column.generated:
        yield Refusal(sqlstate=_SYNTAX, reason=f"{column.name} of {table.name} is a generated column")


def _rename(context: Context, table: Table) -> Iterator[Refusal]:
    name = str(context.body.get("subname"))
    if table.is_new or not table.is_known:
        return
    if is_inherited(context, table, name):
        yield Refusal(sqlstate=_INVALID_TABLE, reason=f"{name} of {table.name} comes from its parent, where it is renamed")
    elif not context.body["relation"].get("inh", False) and any(context.state.children(table.name)):
        yield Refusal(sqlstate=_INVALID_TABLE, reason=f"{table.name} has partitions or heirs, where the column is renamed too")


_LOOKS: dict[str, Callable[[Context, Table, Node], Iterator[Refusal]]] = {
    "AT_AddColumn": _add,
    "AT_DropColumn": _drop,
    "AT_AlterColumnType": _change_type,
    "AT_DropNotNull": _drop_not_null,
    "AT_SetNotNull": _set_not_null,
    "AT_AddIdentity": _add_identity,
    "AT_ColumnDefault": _default,
}
