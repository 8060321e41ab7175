"""Expressions and definitions with other columns in them: by the tree, so that quotes, strings and functions stay as they are."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from app.sql.tree import Node, find, strings

_NAME_LISTS = ("keys", "including", "fk_attrs", "fk_del_set_cols")
#: types without an operator =
_WITHOUT_EQUALITY = frozenset({"json", "xml", "point", "polygon", "box", "circle", "line", "lseg", "path", "txid_snapshot"})


def _string(value: str) -> dict[str, Any]:
    return {"String": {"sval": value}}


def _changed(node: Any, change: Callable[[str, dict[str, Any]], None]) -> Any:
    """A copy of a tree after ``change`` was shown every object with its kind."""
    found = copy.deepcopy(node)
    pending = [found]
    while pending:
        current = pending.pop()
        if isinstance(current, list):
            pending.extend(current)
        elif isinstance(current, dict):
            for kind, value in current.items():
                if isinstance(value, dict):
                    change(kind, value)
                pending.append(value)
    return found


def renamed(node: Node, names: Mapping[str, str]) -> Any:
    """A copy of a definition (index, constraint, expression) in which columns have other names."""

    def change(kind: str, body: dict[str, Any]) -> None:
        if kind == "ColumnRef" and (fields := strings(body.get("fields"))) and fields[-1] in names:
            body["fields"] = [*body["fields"][:-1], _string(names[fields[-1]])]
        elif kind == "IndexElem" and body.get("name") in names:
            body["name"] = names[body["name"]]
        elif kind == "Constraint":
            for listed in _NAME_LISTS:
                if listed in body:
                    body[listed] = [_string(names.get(name, name)) for name in strings(body[listed])]

    return _changed({"node": node}, change)["node"]


def of_row(node: Node, row: str) -> Any:
    """A copy of an expression whose columns are those of a trigger's row: "new" or "old"."""

    def change(kind: str, body: dict[str, Any]) -> None:
        if kind == "ColumnRef" and (fields := strings(body.get("fields"))):
            body["fields"] = [_string(row), _string(fields[-1])]

    return _changed({"node": node}, change)["node"]


def columns_of(node: Node) -> tuple[str, ...]:
    """The columns that an expression reads, each once."""
    return tuple(
        dict.fromkeys(strings(body.get("fields"))[-1] for body in find({"node": node}, "ColumnRef") if body.get("fields"))
    )


def differs(left: str, right: str, type_name: str) -> str:
    """A condition: two values of a type are not the same, NULL counted as a value."""
    if type_name.split("(", maxsplit=1)[0].strip() in _WITHOUT_EQUALITY:
        return f"({left})::text IS DISTINCT FROM ({right})::text"
    return f"{left} IS DISTINCT FROM {right}"
