"""A syntax tree -> SQL, by PostgreSQL's own grammar: how a statement is written again after a part of it was changed."""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from app.sql.tree import Node

_VERSION = 180004


@lru_cache(maxsize=1)
def _writer() -> Callable[[Node], str]:
    # loaded with the first statement that is written: protobuf takes a fifth of a second, and neither package has usable types
    read_json: Any = import_module("google.protobuf.json_format").ParseDict
    deparse: Any = import_module("postgast").deparse
    tree_type: Any = import_module("postgast.pg_query_pb2").ParseResult

    def write(node: Node) -> str:
        tree = {"version": _VERSION, "stmts": [{"stmt": node}]}
        return str(deparse(read_json(tree, tree_type())))

    return write


def sql_of(node: Node) -> str:
    """The SQL of a statement's tree, ``{"AlterTableStmt": {...}}``, in one line and without a semicolon."""
    return _writer()(node)


def expression_sql(node: Node) -> str:
    """The SQL of an expression's tree."""
    selected = _writer()({"SelectStmt": {"targetList": [{"ResTarget": {"val": node}}]}})
    return selected.removeprefix("SELECT ")


def type_sql(node: Node) -> str:
    """The SQL of a TypeName's body, with its modifiers."""
    cast = expression_sql({"TypeCast": {"arg": {"A_Const": {"isnull": True}}, "typeName": node}})
    return cast.removeprefix("NULL::")


def alter_table_sql(table: Node, *commands: dict[str, Any]) -> str:
    """ALTER TABLE on the relation of a RangeVar's body with these AlterTableCmd bodies."""
    listed = [{"AlterTableCmd": {"behavior": "DROP_RESTRICT", **command}} for command in commands]
    return sql_of({"AlterTableStmt": {"relation": table, "cmds": listed, "objtype": "OBJECT_TABLE"}})
