"""Which partitions the rows of an INSERT go to, where the statement writes them out and the bounds are plain constants.

PostgreSQL locks a partition when the first row comes to it; where a value or a bound can't be told here, no partition is named.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from app.analysis.state import State
from app.analysis.tables import Table
from app.errors import HeadgateError
from app.sql.parser import parse_json
from app.sql.tree import Node, constant

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATE_LENGTH = 10
#: rows that are looked at
_MOST_ROWS = 1_000


def partitions_of_rows(state: State, target: Table, body: Node) -> list[Table]:
    """The partitions, all levels down, that the rows of an INSERT ... VALUES go to; empty where one of them can't be told."""
    select = body.get("selectStmt", {}).get("SelectStmt", {})
    named = [column["ResTarget"].get("name") for column in body.get("cols", ())] or list(target.columns)
    rows = [entry["List"].get("items", ()) for entry in select.get("valuesLists", ())[:_MOST_ROWS]]
    found: dict[str, Table] = {}
    for row in rows:
        values = {name: constant(value) for name, value in zip(named, row, strict=False)}
        way = list(_way(state, target, values))
        if not way or way[-1].is_partitioned:
            return []
        found.update((table.name, table) for table in way)
    return list(found.values())


def _way(state: State, table: Table, values: Mapping[Any, Any]) -> Iterator[Table]:
    """From partition to partition down to the one that holds the row; ends early where it can't be told."""
    while table.is_partitioned and len(table.partition_key) == 1:
        value = values.get(table.partition_key[0])
        children = [child for child in state.children(table.name) if table.name in child.parents]
        fits = {child.name: _fits(value, child.partition_bound or "") for child in children if not child.is_default_partition}
        if value is None or None in fits.values():
            return
        default = next((child for child in children if child.is_default_partition), None)
        chosen = next((child for child in children if fits.get(child.name)), default)
        if chosen is None:
            return
        yield chosen
        table = chosen


@lru_cache(maxsize=4096)
def _bound(definition: str) -> Node:
    try:
        tree = parse_json(f"CREATE TABLE x PARTITION OF y {definition}")
        bound: Node = tree["stmts"][0]["stmt"]["CreateStmt"]["partbound"]
    except (HeadgateError, KeyError, IndexError):
        return {}
    return bound


def _fits(value: Any, definition: str) -> bool | None:
    """Whether a value lies within a bound; None where that can't be told."""
    bound = _bound(definition)
    if bound.get("strategy") == "l":
        listed = [constant(datum) for datum in bound.get("listdatums", ())]
        return value in listed if all(type(each) is type(value) for each in listed if each is not None) else None
    if bound.get("strategy") != "r":
        return None
    lower, upper = (_compared(value, bound.get(side, ())) for side in ("lowerdatums", "upperdatums"))
    return None if lower is None or upper is None else lower >= 0 and upper < 0


def _compared(value: Any, datums: Any) -> int | None:
    """-1, 0 or 1 as the value is less than, equal to or greater than one end of a range."""
    datum = datums[0] if len(datums) == 1 else {}
    name = (datum.get("ColumnRef", {}).get("fields") or [{}])[-1].get("String", {}).get("sval", "")
    if name.lower() in {"minvalue", "maxvalue"}:
        return 1 if name.lower() == "minvalue" else -1
    limit = constant(datum) if datum else None
    if isinstance(value, str) and isinstance(limit, str):
        # dates as ISO writes them; at the same day the time and its zone would decide
        if not (_DATE.match(value) and _DATE.match(limit)) or value[:_DATE_LENGTH] == limit[:_DATE_LENGTH]:
            return None
        return 1 if value[:_DATE_LENGTH] > limit[:_DATE_LENGTH] else -1
    if isinstance(value, int) and isinstance(limit, int):
        return (value > limit) - (value < limit)
    return None
