"""What a statement changes that a client can see: columns and relations that come, go, or become another."""

from collections.abc import Iterator
from typing import Any

from app.analysis.advance_tables import column_type, is_there_already
from app.analysis.context import Context
from app.analysis.report import SchemaChange
from app.analysis.tables import Table
from app.sql.names import from_object, from_range_var
from app.sql.tree import Node, commands

_RELATIONS = {"OBJECT_TABLE": "table", "OBJECT_VIEW": "view", "OBJECT_MATVIEW": "materialized view"}
_FILLED = frozenset({"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"})


def changes_of(context: Context) -> Iterator[SchemaChange]:
    """The changes of one statement, before the state moves on; what the input itself made is not told again."""
    if context.kind == "AlterTableStmt" and context.table is not None:
        for command in commands(context.body):
            yield from _column(context.table, command)
    elif context.kind == "RenameStmt":
        yield from _renamed(context)
    elif context.kind == "DropStmt":
        yield from _dropped(context)
    elif context.kind == "AlterObjectSchemaStmt" and "relation" in context.body:
        old = context.state.table_of(context.body["relation"])
        yield SchemaChange(
            relation=old.name, change="moved", now=f"{context.body.get('newschema')}.{old.name.rpartition('.')[2]}"
        )
    elif context.kind == "CreateStmt" and "partbound" not in context.body:
        name = from_range_var(context.body["relation"])
        if not (context.body.get("if_not_exists") and context.state.exists(name)):
            yield SchemaChange(relation=_qualified(context, context.body["relation"]), change="created")


def _qualified(context: Context, node: Node) -> str:
    schema = node.get("schemaname") or context.state.creation_schema
    return f"{schema}.{node['relname']}"


def _column(table: Table, command: Node) -> Iterator[SchemaChange]:
    subtype, name = str(command.get("subtype")), str(command.get("name", ""))
    known = table.columns.get(name)
    values: dict[str, Any] = {"relation": table.name, "column": name}
    if subtype == "AT_AddColumn" and not is_there_already(table, command):
        definition = command["def"]["ColumnDef"]
        kinds = {entry["Constraint"].get("contype") for entry in definition.get("constraints", ())}
        demands = bool(kinds & {"CONSTR_NOTNULL", "CONSTR_PRIMARY"}) and not kinds & _FILLED
        yield SchemaChange(
            relation=table.name,
            column=str(definition["colname"]),
            change="added, and demanded" if demands else "added",
            now=column_type(definition) or "",
        )
    elif subtype == "AT_DropColumn" and not (command.get("missing_ok") and table.is_known and known is None):
        yield SchemaChange(**values, change="removed", was=(known.type if known else "") or "")
    elif subtype == "AT_AlterColumnType":
        new, old = column_type(command["def"]["ColumnDef"]) or "", (known.type if known else "") or ""
        if new != old:
            yield SchemaChange(**values, change="type", was=old, now=new)
    elif subtype == "AT_SetNotNull" and not (known is not None and known.not_null):
        yield SchemaChange(**values, change="not null")
    elif subtype == "AT_DropNotNull":
        yield SchemaChange(**values, change="nullable")
    elif subtype == "AT_ColumnDefault" and "def" not in command:
        yield SchemaChange(**values, change="no default")


def _renamed(context: Context) -> Iterator[SchemaChange]:
    body = context.body
    if "relation" not in body:
        return
    table, new = context.state.table_of(body["relation"]), str(body.get("newname"))
    if table.is_new:
        return
    if body.get("renameType") == "OBJECT_COLUMN":
        yield SchemaChange(relation=table.name, column=str(body.get("subname")), change="renamed", now=new)
    elif body.get("renameType") in _RELATIONS:
        yield SchemaChange(relation=table.name, change="renamed", now=f"{table.name.rpartition('.')[0]}.{new}")


def _dropped(context: Context) -> Iterator[SchemaChange]:
    if context.body.get("removeType") not in _RELATIONS:
        return
    for entry in context.body.get("objects", ()):
        name = from_object(entry)
        table = context.state.table(name)
        if not table.is_new and not (context.body.get("missing_ok") and context.state.exists(name) is False):
            yield SchemaChange(relation=table.name, change="dropped")
