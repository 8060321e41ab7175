"""Duplicates that a unique index refuses, rows that point nowhere, pairs that an exclusion constraint refuses."""

from collections.abc import Iterator, Sequence

from app.analysis.context import Context
from app.analysis.probes.columns import nulls
from app.analysis.probes.expressions import refusal, written
from app.analysis.probes.probe import Probe
from app.analysis.probes.rows import as_text, lacks, shown_columns, source, target_relation
from app.analysis.tables import Table, columns_in
from app.catalog.records import Relation
from app.sql.names import from_range_var, quote_identifier
from app.sql.tree import Node, strings


def unique(context: Context) -> Iterator[Probe]:
    """UNIQUE, PRIMARY KEY and CREATE UNIQUE INDEX."""
    if context.kind == "IndexStmt" and context.body.get("unique"):
        table = context.state.table_of(context.body["relation"])
        elements = [entry["IndexElem"] for entry in context.body.get("indexParams", ())]
        effect = "the build fails and leaves an INVALID index" if context.body.get("concurrent") else "the index can't be built"
        yield from _duplicates(
            context,
            table,
            [element.get("expr") or str(element.get("name")) for element in elements],
            effect=effect,
            where=context.body.get("whereClause"),
            nulls_count=bool(context.body.get("nulls_not_distinct")),
        )
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        if constraint.get("contype") not in {"CONSTR_UNIQUE", "CONSTR_PRIMARY"}:
            continue
        is_key = constraint.get("contype") == "CONSTR_PRIMARY"
        columns = strings(constraint.get("keys"))
        if constraint.get("indexname"):
            index = context.state.index(str(constraint["indexname"]))[1]
            columns = tuple(name for name in index.columns if name) if index else ()
        else:
            count = bool(constraint.get("nulls_not_distinct"))
            yield from _duplicates(context, table, columns, effect="the constraint can't be added", nulls_count=count)
        open_ = [name for name in columns if not table.proves_not_null(name)]
        if is_key and open_:
            yield from nulls(context, table, open_, effect="the primary key can't be added")


def _duplicates(
    context: Context,
    table: Table,
    keys: Sequence[str | Node],
    *,
    effect: str,
    where: Node | None = None,
    nulls_count: bool = False,
) -> Iterator[Probe]:
    relation = target_relation(context.state.schema, table.name)
    if relation is None or not keys:
        return
    names = [name for key in keys for name in ([key] if isinstance(key, str) else sorted(columns_in(key)))]
    new = lacks(relation, [*names, *columns_in(where)])
    why_not = f"the plan itself makes {new}" if new else next((why for key in (*keys, where) if (why := _refused(key))), "")
    parts = [quote_identifier(key) if isinstance(key, str) else written(key) for key in keys]
    condition = None if where is None else written(where)
    if None in parts or (where is not None and condition is None):
        why_not = why_not or "its expression can't be written again"
    label = ", ".join(key if isinstance(key, str) else (text or "an expression") for key, text in zip(keys, parts, strict=True))
    yield Probe(
        kind="duplicates",
        relation=relation.name,
        found=f"{{n}} of ({label}) occur more than once in {relation.name}",
        effect=effect,
        question=None if why_not else _grouped(relation, [str(part) for part in parts], condition, nulls_count=nulls_count),
        why_not=why_not,
        noun="value",
    )


def _refused(key: str | Node | None) -> str:
    return "" if key is None or isinstance(key, str) else refusal(key)


def _grouped(relation: Relation, keys: Sequence[str], condition: str | None, *, nulls_count: bool) -> str:
    listed = [f"({key}) AS k{number}" for number, key in enumerate(keys, 1)]
    known = [] if nulls_count else [f"({key}) IS NOT NULL" for key in keys]
    where = " AND ".join([*known, *([f"({condition})"] if condition else [])]) or "true"
    places = ", ".join(f"k{number}" for number in range(1, len(keys) + 1))
    shown = ", ".join(f"left(k{number}::text, 120) AS {_label(key, number)}" for number, key in enumerate(keys, 1))
    inner = f"SELECT {', '.join(listed)} FROM {source(relation, only=True)} WHERE {where}"
    grouped = f"SELECT {places}, count(*) AS times FROM ({inner}) AS looked_at GROUP BY {places} HAVING count(*) > 1"
    return f"SELECT {shown}, times::text AS times FROM ({grouped}) AS twice"


def _label(key: str, number: int) -> str:
    return key if key.replace("_", "").isalnum() or key.startswith('"') else f"key{number}"


def orphans(context: Context) -> Iterator[Probe]:
    """A FOREIGN KEY on rows that are there."""
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        if constraint.get("contype") == "CONSTR_FOREIGN" and constraint.get("is_enforced", True):
            is_later = bool(constraint.get("skip_validation"))
            effect = "VALIDATE fails" if is_later else "the foreign key can't be added"
            yield from missing_parents(context, table, constraint, effect=effect)


def missing_parents(context: Context, table: Table, constraint: Node, *, effect: str) -> Iterator[Probe]:
    """Which rows point to a row that is not there; ``constraint`` is the Constraint node of the foreign key."""
    child = target_relation(context.state.schema, table.name)
    if child is None:
        return
    columns = strings(constraint.get("fk_attrs"))
    name = context.state.qualify(from_range_var(constraint["pktable"]))
    parent = target_relation(context.state.schema, name)
    keys = strings(constraint.get("pk_attrs")) or _primary_key(parent)
    new = lacks(child, columns)
    why_not = f"the plan itself makes {new}" if new else ""
    if parent is None or not keys or lacks(parent, keys) or len(keys) != len(columns):
        why_not = why_not or f"the plan itself makes {name} or its key"
    question = None if why_not or parent is None else _pointing_nowhere(child, parent, columns, keys, constraint)
    yield Probe(
        kind="orphans",
        relation=child.name,
        found=f"{{n}} of {child.name} point to no row of {name} by {', '.join(columns)}",
        effect=effect,
        question=question,
        why_not=why_not,
    )


def _primary_key(parent: Relation | None) -> tuple[str, ...]:
    return next((found.columns for found in parent.constraints if found.kind == "primary key"), ()) if parent else ()


def _pointing_nowhere(child: Relation, parent: Relation, columns: Sequence[str], keys: Sequence[str], constraint: Node) -> str:
    joiner = " OR " if constraint.get("fk_matchtype") == "f" else " AND "
    known = joiner.join(f"c.{quote_identifier(name)} IS NOT NULL" for name in columns)
    match = " AND ".join(
        f"p.{quote_identifier(key)} = c.{quote_identifier(name)}" for key, name in zip(keys, columns, strict=True)
    )
    shown = ", ".join(as_text(name, alias="c") for name in shown_columns(child, columns))
    nowhere = f"NOT EXISTS (SELECT FROM {source(parent, only=True)} AS p WHERE {match})"
    return f"SELECT {shown} FROM {source(child, only=True)} AS c WHERE ({known}) AND {nowhere}"


def exclusion(context: Context) -> Iterator[Probe]:
    """EXCLUDE: pairs of rows for which all operators hold."""
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        relation = target_relation(context.state.schema, table.name)
        if constraint.get("contype") != "CONSTR_EXCLUSION" or relation is None:
            continue
        pairs = [_excluded(entry["List"]["items"]) for entry in constraint.get("exclusions", ())]
        plain = [(str(name), operator) for name, operator in pairs if name]
        new = lacks(relation, [name for name, _ in plain])
        why_not = f"the plan itself makes {new}" if new else ""
        if len(plain) < len(pairs) or "where_clause" in constraint:
            why_not = why_not or "it excludes by an expression or under a condition"
        yield Probe(
            kind="exclusion",
            relation=relation.name,
            found=f"{{n}} of {relation.name} exclude each other by {', '.join(f'{name} {operator}' for name, operator in plain)}",
            effect="the constraint can't be added",
            question=None if why_not else _overlapping(relation, plain),
            why_not=why_not,
            noun="pair",
        )


def _excluded(items: Sequence[Node]) -> tuple[str | None, str]:
    return items[0].get("IndexElem", {}).get("name"), ".".join(strings(items[1].get("List", {}).get("items")))


def _overlapping(relation: Relation, pairs: Sequence[tuple[str, str]]) -> str:
    terms = []
    for name, spelled in pairs:
        schema, _, operator = spelled.rpartition(".")
        sign = f"OPERATOR({quote_identifier(schema)}.{operator})" if schema else operator
        terms.append(f"a.{quote_identifier(name)} {sign} b.{quote_identifier(name)}")
    shown = ", ".join(as_text(name, alias="a") for name in shown_columns(relation, [name for name, _ in pairs]))
    name = source(relation, only=True)
    return f"SELECT {shown} FROM {name} AS a JOIN {name} AS b ON a.ctid < b.ctid AND {' AND '.join(terms)}"
