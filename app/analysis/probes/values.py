"""Values that a new type of their column does not take: too long, too large, not castable, not among an enum's labels."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.analysis.advance_tables import column_type
from app.analysis.context import Context
from app.analysis.probes.checks import domain_checks
from app.analysis.probes.expressions import refusal, written
from app.analysis.probes.probe import Probe
from app.analysis.probes.rows import select, source, target_relation
from app.analysis.tables import Table
from app.analysis.type_change import TypeParts, parts_of
from app.catalog.records import Relation
from app.sql.names import quote_identifier
from app.sql.tree import Node, strings

_TEXTS = frozenset({"text", "character varying", "character", "citext"})
_INTEGERS = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
_NUMBERS = frozenset({*_INTEGERS, "numeric", "real", "double precision"})
#: pg_input_is_valid() says of a text whether it is a value of a type, without an error
_ASKS_SINCE = 16
_WHOLE_NUMBER = "'^\\s*[-+]?[0-9]{1,18}\\s*$'"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """One column on its way to another type."""

    context: Context
    table: Table
    relation: Relation
    column: str
    old: str
    new: str
    #: the expression of USING where it is more than the column, or a cast of it
    using: Node | None
    #: the new type's tree
    type_node: Node
    #: an explicit cast cuts a text where an assignment refuses it
    cuts: bool


def values(context: Context) -> Iterator[Probe]:
    """ALTER COLUMN TYPE."""
    for table, command in context.commands("AT_AlterColumnType"):
        relation = target_relation(context.state.schema, table.name)
        name, definition = str(command.get("name")), command["def"]["ColumnDef"]
        column = relation.column(name) if relation else None
        new = column_type(definition)
        if relation is None or new is None:
            continue
        if column is None:
            why = f"the plan itself makes {name}"
            yield _probe(relation, name, new, None, why_not=why)
            continue
        using = definition.get("raw_default")
        plain = using is None or _is_cast_of(using, name)
        change = _Change(
            context=context,
            table=table,
            relation=relation,
            column=name,
            old=column.type,
            new=new,
            using=None if plain else using,
            type_node=definition["typeName"],
            cuts=using is not None and "TypeCast" in using,
        )
        yield from _conversion(change) if change.using is not None else _plain(change)


def _is_cast_of(using: Node, column: str) -> bool:
    """True for the column itself, and for casts of it one upon the other."""
    node = using
    while "TypeCast" in node:
        node = node["TypeCast"].get("arg", {})
    return strings(node.get("ColumnRef", {}).get("fields"))[-1:] == (column,)


def _plain(change: _Change) -> Iterator[Probe]:
    before, after = parts_of(change.old), parts_of(change.new)
    if before == after or before.dimensions or after.dimensions:
        return
    condition = _misfit(change, before, after)
    if condition:
        effect = f"they are cut to {after.modifiers[0]} characters" if _is_cut(change, after) else "the type can't be changed"
        question = select(change.relation, [change.column], condition)
        yield _probe(change.relation, change.column, change.new, question, effect=effect)
    if not condition:
        yield from domain_checks(change.context, change.table, change.column, change.new)


def _is_cut(change: _Change, after: TypeParts) -> bool:
    return change.cuts and after.base in {"character varying", "character"} and bool(after.modifiers)


def _misfit(change: _Change, before: TypeParts, after: TypeParts) -> str:
    """The condition that a value meets which does not fit; empty where every value does, or nobody can say."""
    name = quote_identifier(change.column)
    labels = _labels(change)
    if labels is not None:
        listed = ", ".join("'" + label.replace("'", "''") + "'" for label in labels) or "NULL"
        return f"{name}::text NOT IN ({listed})"
    if after.base in {"character varying", "character"} and after.modifiers:
        return _too_long(name, before, after)
    if after.base in _INTEGERS and before.base in _NUMBERS:
        return _too_large(name, before, after)
    if after.base == "numeric" and after.modifiers and before.base in _NUMBERS:
        return _too_many_digits(name, before, after)
    if before.base in _TEXTS and after.base not in _TEXTS:
        return _not_readable(change, name, after)
    return ""


def _labels(change: _Change) -> tuple[str, ...] | None:
    """The labels of the new type where it is an enum and the old one is another, or a text."""
    schema = change.context.state.schema
    bare = change.new.rpartition(".")[2]
    made = change.context.state.enum_labels.get(bare)
    if made is not None:
        return made
    known = next((enum for enum in schema.enums.values() if enum.name.rpartition(".")[2] == bare), None) if schema else None
    return known.labels if known is not None and change.old.rpartition(".")[2] != bare else None


def _too_long(name: str, before: TypeParts, after: TypeParts) -> str:
    limit = after.modifiers[0]
    if before.base in {"character varying", "character"} and before.modifiers and before.modifiers[0] <= limit:
        return ""
    # spaces at the end are cut off in silence, as the standard asks
    return f"char_length(rtrim({name}::text, ' ')) > {limit}"


def _too_large(name: str, before: TypeParts, after: TypeParts) -> str:
    low, high = _INTEGERS[after.base]
    if before.base in _INTEGERS and _INTEGERS[before.base][1] <= high:
        return ""
    return f"{name} NOT BETWEEN {low} AND {high}"


def _too_many_digits(name: str, before: TypeParts, after: TypeParts) -> str:
    precision, scale = after.modifiers[0], after.modifiers[1] if len(after.modifiers) > 1 else 0
    if before.base == "numeric" and before.modifiers:
        had = before.modifiers[0] - (before.modifiers[1] if len(before.modifiers) > 1 else 0)
        if had <= precision - scale:
            return ""
    return f"abs(round({name}::numeric, {scale})) >= 10::numeric ^ {precision - scale}"


def _not_readable(change: _Change, name: str, after: TypeParts) -> str:
    if change.context.options.server_version >= _ASKS_SINCE:
        written_type = change.new.replace("'", "''")
        return f"NOT pg_catalog.pg_input_is_valid({name}::text, '{written_type}')"
    return f"{name}::text !~ {_WHOLE_NUMBER}" if after.base in _INTEGERS else ""


def _conversion(change: _Change) -> Iterator[Probe]:
    """An expression of one's own: it is computed for every row, and what it ends with is the answer."""
    using = change.using or {}
    cast = written({"TypeCast": {"arg": using, "typeName": change.type_node}})
    text, why_not = written(using), refusal(using)
    question = None if why_not or cast is None else f"SELECT count({cast}) FROM {source(change.relation)}"
    yield Probe(
        kind="conversion",
        relation=change.relation.name,
        found=f"{{n}} of {change.relation.name} can't be converted by {text or 'USING'}",
        effect=f"the conversion of {change.column} to {change.new} fails",
        question=question,
        why_not=why_not or ("" if text else "its expression can't be written again"),
    )


def _probe(
    relation: Relation,
    column: str,
    new: str,
    question: str | None,
    *,
    effect: str = "the type can't be changed",
    why_not: str = "",
) -> Probe:
    return Probe(
        kind="values",
        relation=relation.name,
        found=f"{{n}} of {relation.name} hold a value in {column} that is no {new}",
        effect=effect,
        question=question,
        why_not=why_not,
    )
