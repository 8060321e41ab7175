"""Rows of a table that is attached as a partition, which its bound refuses."""

from collections.abc import Iterator, Sequence

from app.analysis.context import Context
from app.analysis.partitions import attach_is_proven
from app.analysis.probes.expressions import refusal, written
from app.analysis.probes.probe import Probe
from app.analysis.probes.rows import lacks, select, target_relation
from app.catalog.records import Relation
from app.sql.names import quote_identifier
from app.sql.tree import Node

_NO_LIMIT = {"PARTITION_RANGE_DATUM_MINVALUE", "PARTITION_RANGE_DATUM_MAXVALUE"}


def attach(context: Context) -> Iterator[Probe]:
    """ATTACH PARTITION with a list or a range; what the constraints of the new partition prove is not asked."""
    for table, command in context.commands("AT_AttachPartition"):
        partition = command["def"]["PartitionCmd"]
        child, bound = context.state.table_of(partition["name"]), partition.get("bound")
        relation = target_relation(context.state.schema, child.name)
        if relation is None or not bound or bound.get("is_default") or attach_is_proven(context.state, table, child, bound):
            continue
        key = _key(table.partition_key, relation)
        new = lacks(relation, table.partition_key)
        condition = _fits(key, bound) if key else None
        why_not = f"the plan itself makes {new}" if new and key else refusal(bound) if condition else "the bound is "
        "not a plain list or range"
        yield Probe(
            kind="bound",
            relation=relation.name,
            found=f"{{n}} of {relation.name} lie outside the bound",
            effect="ATTACH PARTITION fails",
            question=None if why_not else select(relation, table.partition_key, f"({condition}) IS NOT TRUE"),
            why_not=why_not,
        )


def _key(columns: Sequence[str], relation: Relation) -> tuple[str, ...]:
    """The key as SQL; empty where it is an expression, or not known."""
    known = [name for name in columns if relation.column(name) is not None]
    return tuple(map(quote_identifier, known)) if known and len(known) == len(columns) else ()


def _fits(key: Sequence[str], bound: Node) -> str | None:
    """The condition that a row of the partition meets; None where it can't be written."""
    if bound.get("strategy") == "l" and len(key) == 1:
        values = [written(value) for value in bound.get("listdatums", ())]
        if any(value is None for value in values):
            return None
        listed = [str(value) for value in values if str(value).upper() != "NULL"]
        parts = [f"{key[0]} IN ({', '.join(listed)})"] if listed else []
        return " OR ".join([*parts, *([f"{key[0]} IS NULL"] if len(listed) < len(values) else [])])
    if bound.get("strategy") == "r":
        lower, upper = (_limit(key, bound.get(side, ())) for side in ("lowerdatums", "upperdatums"))
        if lower is None or upper is None:
            return None
        sides = [f"{keys} {sign} {values}" for sign, (keys, values) in ((">=", lower), ("<", upper)) if values]
        return " AND ".join([*(f"{column} IS NOT NULL" for column in key), *sides])
    return None


def _limit(key: Sequence[str], datums: Sequence[Node]) -> tuple[str, str] | None:
    """Both sides of the comparison with one end of a range, ("", "") where it is open; None where it can't be written."""
    values: list[str] = []
    for datum in datums:
        column = datum.get("ColumnRef", {}).get("fields", [{}])[-1].get("String", {}).get("sval", "")
        if column.lower() in {"minvalue", "maxvalue"}:
            # what follows an open value does not count, and an open end after values would need another comparison
            return ("", "") if not values else None
        text = written(datum)
        if text is None:
            return None
        values.append(text)
    return f"({', '.join(key[: len(values)])})", f"({', '.join(values)})"
