"""Whether a valid CHECK proves that a table's rows fit a partition's bound, so that ATTACH need not read them."""

from collections.abc import Iterable, Iterator

from app.analysis.tables import ConstraintFacts, Table, columns_in
from app.sql.tree import Node, constant, find


def attach_is_proven(parent: Table, child: Table, bound: Node | None) -> bool:
    """True where a valid CHECK of the child uses the partition key and every literal of the bound.

    A range also needs its columns to be NOT NULL. This is narrower than PostgreSQL's own proof, never wider for usual checks.
    """
    values = _values(bound)
    if bound is None or bound.get("is_default"):
        return False
    for constraint in _valid_checks(child):
        used = columns_in(constraint.expression)
        key_is_used = set(parent.partition_key) <= used if parent.partition_key else bool(used)
        if key_is_used and values <= _literals(constraint.expression):
            return bound.get("strategy") != "r" or all(child.proves_not_null(name) for name in _key(parent, used))
    return False


def _key(parent: Table, used: Iterable[str]) -> Iterable[str]:
    return parent.partition_key or tuple(used)


def default_excludes(parent: Table, default: Table, bound: Node | None) -> bool:
    """True where a valid CHECK of the DEFAULT partition names the key and every literal of the new partition's bound."""
    values = _values(bound)
    return any(
        set(parent.partition_key) <= columns_in(constraint.expression) and values <= _literals(constraint.expression)
        for constraint in _valid_checks(default)
    )


def _valid_checks(table: Table) -> Iterator[ConstraintFacts]:
    return (fact for fact in table.constraints.values() if fact.kind == "check" and fact.is_validated and fact.is_enforced)


def _values(bound: Node | None) -> frozenset[str]:
    lists = (bound or {}).get("lowerdatums", []), (bound or {}).get("upperdatums", []), (bound or {}).get("listdatums", [])
    return frozenset().union(*(_literals(values) for values in lists))


def _literals(expression: Node | list[Node] | None) -> frozenset[str]:
    """The constants of an expression as text, dates without their time and zone, as pg_get_constraintdef() adds those."""
    found = (constant({"A_Const": body}) for body in find(expression, "A_Const"))
    return frozenset(_short(str(value)) for value in found if value is not None)


def _short(value: str) -> str:
    return value.partition(" 00:00:00")[0]
