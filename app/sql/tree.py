"""Ways through a syntax tree of libpg_query; loops instead of recursion, so that a deep tree can't exhaust the stack."""

from collections.abc import Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]

#: rows of a VALUES list that are looked at
MOST_ROWS = 1_000
_LEAVES = frozenset({"A_Const", "ColumnRef", "String", "ParamRef", "Integer", "Boolean", "Float"})


def walk(node: Any) -> Iterator[tuple[str, Node]]:
    """Every (key, value) of the tree whose value is an object, outer before inner: ``("RangeVar", {...})``.

    Constants and names are not entered, and of VALUES only the first rows: what they hold is data.
    """
    stack: list[Any] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack.extend(reversed(current))
        elif isinstance(current, dict):
            for key, value in current.items():
                if isinstance(value, dict):
                    yield key, value
                    if key not in _LEAVES:
                        stack.append(value)
                elif isinstance(value, list):
                    stack.append(value[:MOST_ROWS] if key == "valuesLists" else value)


def find(node: Any, *kinds: str) -> Iterator[Node]:
    """The bodies of every node of these kinds below, the given one included."""
    return (body for kind, body in walk(node) if kind in kinds)


def strings(nodes: Any) -> tuple[str, ...]:
    """The values of a list of String nodes: column names, for example."""
    return tuple(str(node["String"].get("sval", "")) for node in nodes or () if "String" in node)


def option(options: Any, name: str) -> bool:
    """True where a list of DefElem nodes switches an option on: ``(CONCURRENTLY)``, ``(FULL true)``."""
    for element in find(list(options or ()), "DefElem"):
        if element.get("defname") == name:
            return _is_on(element.get("arg"))
    return False


def _is_on(argument: Node | None) -> bool:
    if not argument:
        return True
    if "Boolean" in argument:
        return bool(argument["Boolean"].get("boolval", False))
    if "Integer" in argument:
        return bool(argument["Integer"].get("ival", 0))
    return str(argument.get("String", {}).get("sval", "true")).lower() in {"true", "on", "yes", "1"}


def constant(node: Node | None) -> Any:
    """The Python value of a constant, through casts; None where the node is not one (or is NULL)."""
    while node and "TypeCast" in node:
        node = node["TypeCast"].get("arg")
    body = (node or {}).get("A_Const")
    if body is None or body.get("isnull"):
        return None
    if "ival" in body:
        return body["ival"].get("ival", 0)
    if "boolval" in body:
        return body["boolval"].get("boolval", False)
    if "fval" in body:
        return float(body["fval"].get("fval", "0"))
    return body.get("sval", {}).get("sval", "")


def commands(node: Node) -> Iterator[Node]:
    """The AlterTableCmd bodies of an AlterTableStmt body."""
    return (command["AlterTableCmd"] for command in node.get("cmds", ()) if "AlterTableCmd" in command)
