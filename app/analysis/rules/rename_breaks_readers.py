"""RENAME of what running code names."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.analysis.safer import rename_column, rename_table
from app.sql.names import from_object, from_range_var, from_strings

_RELATIONS = {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE", "OBJECT_SEQUENCE"}
_OTHERS = {
    "OBJECT_SCHEMA": "schema",
    "OBJECT_TYPE": "type",
    "OBJECT_DOMAIN": "domain",
    "OBJECT_FUNCTION": "function",
    "OBJECT_PROCEDURE": "procedure",
    "OBJECT_ROLE": "role",
    "OBJECT_DATABASE": "database",
}


def check(context: Context) -> Iterator[Hit]:
    """Hit for a rename, or a move to another schema, of what the input did not make itself."""
    if context.kind == "RenameStmt":
        yield from _renames(context)
    elif context.kind == "AlterObjectSchemaStmt":
        yield from _moves(context)
    elif context.kind == "AlterEnumStmt" and "oldVal" in context.body:
        old, new = context.body["oldVal"], context.body.get("newVal")
        name = from_strings(context.body.get("typeName", ()))
        if name not in context.state.new_types:
            yield Hit(
                risk="high",
                message=f"Running code that writes or compares '{old}' of {name} breaks: the value is '{new}' from now on.",
                safer=f"-- add '{new}' as a new value, move the rows in batches, and leave '{old}' unused",
            )


def _renames(context: Context) -> Iterator[Hit]:
    body, kind, new = context.body, str(context.body.get("renameType")), str(context.body.get("newname"))
    if kind in _RELATIONS | {"OBJECT_COLUMN"} and "relation" in body:
        table = context.state.table_of(body["relation"])
        if table.is_new:
            return
        if kind == "OBJECT_COLUMN":
            old = str(body.get("subname"))
            if old in table.columns and table.columns[old].is_new:
                return
            yield Hit(
                risk="high",
                message=f"Old and new code can't both work: {table.name}.{old} is {new} from now on.",
                safer=rename_column(table, old, new),
            )
        else:
            yield Hit(
                risk="high", message=f"The name {table.name} disappears for running code.", safer=rename_table(table.name, new)
            )
    elif kind == "OBJECT_ATTRIBUTE":
        yield Hit(risk="high", message=f"The attribute {body.get('subname')} of a type disappears for running code.")
    elif kind in _OTHERS:
        old = str(body.get("subname") or from_object(body.get("object", {})))
        if old not in context.state.new_types:
            yield Hit(risk="high", message=f"The {_OTHERS[kind]} {old} disappears for running code that names it.")


def _moves(context: Context) -> Iterator[Hit]:
    body = context.body
    if "relation" in body:
        table = context.state.table_of(body["relation"])
        if not table.is_new:
            yield Hit(
                risk="high",
                message=f"{from_range_var(body['relation'])} moves to the schema {body.get('newschema')}: code that finds "
                f"it by its "
                "old place breaks.",
            )
    elif body.get("objectType") != "OBJECT_EXTENSION":
        yield Hit(risk="high", message=f"{from_object(body.get('object', {}))} moves to the schema {body.get('newschema')}.")


RULE = Rule(
    id="rename-breaks-readers",
    title="After a rename old and new code can't both work",
    why="The change is instant and for everybody: until the last old process is gone its queries fail, and a rollback of the "
    "release fails the other way round.",
    source=manual("sql-altertable.html"),
    level="high",
    bad="ALTER TABLE users RENAME COLUMN nickname TO handle;",
    good="ALTER INDEX users_nickname_idx RENAME TO users_handle_idx;",
    check=check,
)
