"""Which relations a statement names, reading or writing, as written."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.sql.names import from_object, from_range_var, from_strings
from app.sql.split import Statement, split
from app.sql.tree import walk

#: objects that belong to a relation and are named after it: ``(users, t_audit)``
_PARTS = frozenset({"OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE", "OBJECT_COLUMN", "OBJECT_TABCONSTRAINT"})
_RELATIONS = frozenset({"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE", "OBJECT_SEQUENCE"})


def references(source: Statement | str) -> frozenset[str]:
    """The relations a statement (or every statement of a text) names, without the names of its common table expressions.

    Raises SqlSyntaxError where a text does not parse.
    """
    if isinstance(source, str):
        return frozenset().union(*(references(statement) for statement in split(source)))
    return frozenset(in_order(source.node))


def in_order(node: Mapping[str, Any]) -> tuple[str, ...]:
    """The relations a tree names, in the order of the text, each once."""
    found: dict[str, None] = {}
    expressions: set[str] = set()
    for kind, body in walk(node):
        if kind == "CommonTableExpr":
            expressions.add(body["ctename"])
        elif "relname" in body and kind != "IntoClause":
            found[from_range_var(body)] = None
        elif kind == "DropStmt":
            found.update(dict.fromkeys(_dropped(body)))
        elif kind == "CommentStmt":
            found.update(dict.fromkeys(_objects_relation(body.get("objtype"), body.get("object", {}))))
    return tuple(name for name in found if name not in expressions)


def _dropped(body: Mapping[str, Any]) -> Iterator[str]:
    for entry in body.get("objects", ()):
        yield from _objects_relation(body.get("removeType"), entry)


def _objects_relation(objtype: Any, entry: Mapping[str, Any]) -> Iterator[str]:
    """The relation that an object is, or belongs to."""
    if objtype in _RELATIONS:
        yield from_object(entry)
    elif objtype in _PARTS and "List" in entry:
        yield from_strings(entry["List"].get("items", ())[:-1])
