"""Whether valid CHECK constraints prove that a table's rows fit a partition's bound, or stay out of it: then no row is read."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.analysis.proof import Prover
from app.analysis.state import State
from app.analysis.tables import Table, columns_in
from app.sql.tree import Node, find, strings


def attach_is_proven(state: State, parent: Table, child: Table, bound: Node | None) -> bool:
    """True where ATTACH PARTITION need not read the new partition."""
    if bound is None:
        return False
    if bound.get("is_default"):
        return parent.is_known and not any(other.name != child.name for other in state.children(parent.name))
    return _is_proven(parent, child, bound, negated=False)


def default_excludes(parent: Table, default: Table, bound: Node | None) -> bool:
    """True where the DEFAULT partition can hold no row of a new partition."""
    return bound is not None and not bound.get("is_default") and _is_proven(parent, default, bound, negated=True)


def _is_proven(parent: Table, table: Table, bound: Node, *, negated: bool) -> bool:
    if bound.get("strategy") not in {"l", "r"}:
        return False
    checks: list[Any] = [
        fact.expression for fact in table.constraints.values() if _is_usable(fact.kind, fact.is_validated, fact.is_enforced)
    ]
    if bound["strategy"] == "l" and not negated and not _says_equal(checks):
        # two limits that leave one value are not taken for it
        return False
    datums = [bound.get(name, []) for name in ("lowerdatums", "upperdatums", "listdatums")]
    return any(
        Prover(table, keys, [*checks, *datums]).implies(checks, bound, negated=negated) for keys in _keys(parent, bound, checks)
    )


def _is_usable(kind: str, is_validated: bool, is_enforced: bool) -> bool:
    return kind == "check" and is_validated and is_enforced


def _keys(parent: Table, bound: Node, checks: Sequence[Node]) -> Iterator[tuple[str, ...]]:
    """The partition key; where it is not known, each column that the checks are about, for a key of one column."""
    if parent.partition_key:
        yield parent.partition_key
    elif bound.get("strategy") == "l" or len(bound.get("lowerdatums", ())) == 1:
        yield from ((name,) for name in sorted(columns_in(list(checks))))


def _says_equal(checks: Sequence[Node]) -> bool:
    return any(strings(body.get("name")) == ("=",) for body in find(list(checks), "A_Expr"))
