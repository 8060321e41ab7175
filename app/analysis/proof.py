"""Whether the valid CHECK constraints of a table say what a partition's bound asks, as PostgreSQL's own prover would find.

Both are looked at as statements about the key columns only. For each column the constants that occur cut its values into points
(each constant, the gaps between them, NULL); the bound is implied where it holds at every point that the checks let through.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from itertools import product
from typing import Any, cast

from app.analysis.tables import Table
from app.sql.tree import Node, constant, find, strings

#: what an expression may come to at a point
Outcomes = frozenset[bool | None]
_ANYTHING: Outcomes = frozenset({True, False, None})
#: a proof that would look at more points than this is not tried
_MOST_POINTS = 5_000
_TESTS = {"=": (0,), "<>": (-1, 1), "<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}
_FLIPPED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
#: comparing a timestamp with these depends on the session's TimeZone, so that PostgreSQL proves nothing by it
_OTHER_TIMES = frozenset({"date", "timestamp"})


@dataclass(frozen=True, slots=True)
class _Point:
    """A value of a column: its place among the constants (odd: one of them, even: a gap), or NULL."""

    place: int | None


class Prover:
    """Answers questions about one table and the columns of a partition key."""

    def __init__(self, table: Table, keys: Sequence[str], expressions: Iterable[Any]) -> None:
        """``expressions`` are the trees in which constants are looked for: the bound and the checks."""
        self._keys = tuple(keys)
        self._types = {key: table.columns[key].type or "" if key in table.columns else "" for key in keys}
        self._not_null = {key for key in keys if key in table.columns and table.proves_not_null(key)}
        found = [constant({"A_Const": body}) for expression in expressions for body in find(expression, "A_Const")]
        self._order: dict[str, list[Any]] = {key: self._sorted(key, found) for key in keys}

    def implies(self, checks: Sequence[Node], bound: Node, *, negated: bool = False) -> bool:
        """True where every row that the checks let through is inside the bound (``negated``: outside of it)."""
        spaces = [self._points(key) for key in self._keys]
        size = 1
        for space in spaces:
            size *= len(space)
        if not self._keys or size > _MOST_POINTS or not self._is_readable(bound):
            return False
        for chosen in product(*spaces):
            point = dict(zip(self._keys, chosen, strict=True))
            if all(self._value(check, point) - {False} for check in checks) and self._inside(bound, point) is negated:
                return False
        return True

    def _is_readable(self, bound: Node) -> bool:
        """True where every limit of the bound is a constant of its column's type."""
        if bound.get("strategy") == "l":
            pairs = [(self._keys[0], datum) for datum in bound.get("listdatums", ()) if not _is_null(datum)]
        else:
            limits = (bound.get("lowerdatums", ()), bound.get("upperdatums", ()))
            pairs = [pair for limit in limits for pair in zip(self._keys, limit, strict=False) if _end_of(pair[1]) is None]
        return all(self._is_known(key, constant(datum)) for key, datum in pairs)

    def _sorted(self, key: str, values: Iterable[Any]) -> list[Any]:
        read = {self._read(key, value) for value in values if value is not None}
        try:
            return sorted(value for value in read if value is not None)
        except TypeError:
            return []

    def _read(self, key: str, value: Any) -> Any:
        """A constant as a value of the column's type; None where it is not one."""
        return _as_type(self._types[key], value)

    def _points(self, key: str) -> list[_Point]:
        places = [_Point(place) for place in range(2 * len(self._order[key]) + 1)]
        return places if key in self._not_null else [_Point(None), *places]

    def _compare(self, key: str, value: Any, point: Mapping[str, _Point]) -> int | None:
        """-1, 0 or 1 as the point lies before, at or after a constant; None where it is NULL."""
        place = point[key].place
        if place is None:
            return None
        own = 2 * self._order[key].index(self._read(key, value)) + 1
        return (place > own) - (place < own)

    def _inside(self, bound: Node, point: Mapping[str, _Point]) -> bool:
        if bound.get("strategy") == "l":
            key = self._keys[0]
            values = [constant(datum) for datum in bound.get("listdatums", ())]
            if point[key].place is None:
                return None in values
            return any(self._compare(key, value, point) == 0 for value in values if self._is_known(key, value))
        if any(point[key].place is None for key in self._keys):
            return False
        return self._side(bound.get("lowerdatums", ()), point) >= 0 and self._side(bound.get("upperdatums", ()), point) < 0

    def _side(self, datums: Sequence[Node], point: Mapping[str, _Point]) -> int:
        """-1, 0 or 1 as a point lies before, at or after a limit of a range."""
        for key, datum in zip(self._keys, datums, strict=False):
            end = _end_of(datum)
            found = end if end is not None else self._compare(key, constant(datum), point)
            if found:
                return found
        return 0

    def _is_known(self, key: str, value: Any) -> bool:
        return value is not None and self._read(key, value) in self._order[key]

    def _value(self, node: Node, point: Mapping[str, _Point]) -> Outcomes:
        """What an expression may come to at a point."""
        if "BoolExpr" in node:
            return self._combined(node["BoolExpr"], point)
        if "NullTest" in node:
            key = self._key_of(node["NullTest"].get("arg", {}))
            is_null = node["NullTest"].get("nulltesttype") == "IS_NULL"
            return _ANYTHING if key is None else frozenset({(point[key].place is None) == is_null})
        return self._compared(node["A_Expr"], point) if "A_Expr" in node else _ANYTHING

    def _combined(self, body: Node, point: Mapping[str, _Point]) -> Outcomes:
        parts = [self._value(argument, point) for argument in body.get("args", ())]
        if body.get("boolop") == "NOT_EXPR":
            return frozenset(None if value is None else not value for value in parts[0])
        deciding = body.get("boolop") == "OR_EXPR"
        found: Outcomes = frozenset({not deciding})
        for part in parts:
            found = frozenset(_joined(first, second, deciding) for first in found for second in part)
        return found

    def _compared(self, body: Node, point: Mapping[str, _Point]) -> Outcomes:
        operator = "".join(strings(body.get("name")))
        left, right = body.get("lexpr", {}), body.get("rexpr", {})
        kind = body.get("kind")
        if kind in {"AEXPR_BETWEEN", "AEXPR_NOT_BETWEEN"}:
            ends = right.get("List", {}).get("items", ())
            both = {"BoolExpr": {"boolop": "AND_EXPR", "args": [_term(left, ">=", ends[0]), _term(left, "<=", ends[1])]}}
            return self._value(both if kind == "AEXPR_BETWEEN" else {"BoolExpr": {"boolop": "NOT_EXPR", "args": [both]}}, point)
        if kind in {"AEXPR_IN", "AEXPR_OP_ANY", "AEXPR_OP_ALL"}:
            items = _listed(right)
            is_any = kind == "AEXPR_OP_ANY" or (kind == "AEXPR_IN" and operator == "=")
            terms = [_term(left, operator, item) for item in items]
            return self._combined({"boolop": "OR_EXPR" if is_any else "AND_EXPR", "args": terms}, point) if terms else _ANYTHING
        return self._plain(operator, left, right, point) if kind == "AEXPR_OP" and operator in _TESTS else _ANYTHING

    def _plain(self, operator: str, left: Node, right: Node, point: Mapping[str, _Point]) -> Outcomes:
        key = self._key_of(left)
        if key is None:
            operator, left, right = _FLIPPED[operator], right, left
            key = self._key_of(left)
        value = constant(right)
        if key is None or _is_of_other_time(right, self._types[key]) or not self._is_known(key, value):
            return _ANYTHING
        side = self._compare(key, value, point)
        return frozenset({None if side is None else side in _TESTS[operator]})

    def _key_of(self, node: Node) -> str | None:
        """The key column that an expression is, through the cast that PostgreSQL prints for varchar."""
        if "TypeCast" in node and strings(node["TypeCast"].get("typeName", {}).get("names"))[-1:] == ("text",):
            inner = self._key_of(node["TypeCast"].get("arg", {}))
            return inner if inner is not None and self._types[inner].startswith("character varying") else None
        name = strings(node.get("ColumnRef", {}).get("fields"))[-1:]
        return name[0] if name and name[0] in self._types else None


def _end_of(datum: Node) -> int | None:
    """1 for MINVALUE, after which every value lies, -1 for MAXVALUE; None for a constant."""
    names = strings(datum.get("ColumnRef", {}).get("fields"))
    return {"minvalue": 1, "maxvalue": -1}.get(".".join(names))


def _is_null(datum: Node) -> bool:
    return bool(datum.get("A_Const", {}).get("isnull", False))


def _joined(first: bool | None, second: bool | None, deciding: bool) -> bool | None:
    if deciding in {first, second}:
        return deciding
    return None if None in {first, second} else not deciding


def _term(left: Node, operator: str, right: Node) -> Node:
    return {"A_Expr": {"kind": "AEXPR_OP", "name": [{"String": {"sval": operator}}], "lexpr": left, "rexpr": right}}


def _listed(node: Node) -> Sequence[Node]:
    """The members of IN (...), ARRAY[...] or '{...}'."""
    while "TypeCast" in node:
        node = node["TypeCast"].get("arg", {})
    if "A_ArrayExpr" in node:
        return cast("Sequence[Node]", node["A_ArrayExpr"].get("elements", ()))
    return cast("Sequence[Node]", node.get("List", {}).get("items", ()))


def _is_of_other_time(node: Node, column_type: str) -> bool:
    names = strings(node.get("TypeCast", {}).get("typeName", {}).get("names"))[-1:]
    return bool(names) and names[0] in _OTHER_TIMES and column_type.endswith("with time zone")


_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"})


@cache
def _as_type(type_name: str, value: Any) -> Any:
    """A constant as a value that compares as the type does; None where it is none."""
    base = type_name.partition("(")[0]
    if isinstance(value, bool):
        return int(value)
    try:
        if not isinstance(value, str) or base in _NUMBERS:
            return Decimal(str(value))
        if base.startswith(("timestamp", "date")) or not base:
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (InvalidOperation, ValueError):
        # a text where no type is known
        return None if base else value
    return value
