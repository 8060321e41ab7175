"""Identifiers and type names: from the tree, quoted for SQL, compared in one form."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

Node = Mapping[str, Any]

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")
#: words that need quotes as a name of a column or table (pg_get_keywords() with catcode R or T)
#: Source: https://www.postgresql.org/docs/18/sql-keywords-appendix.html
_RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char
    character check coalesce collate collation column concurrently constraint create cross current_catalog current_date
    current_role current_schema current_time current_timestamp current_user dec decimal default deferrable desc distinct do
    else end except exists extract false fetch float for foreign freeze from full grant greatest group grouping having ilike
    in initially inner inout int integer intersect interval into is isnull join json json_array json_arrayagg json_exists
    json_object json_objectagg json_query json_scalar json_serialize json_table json_value lateral leading least left like
    limit localtime localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric offset
    on only or order out outer overlaps overlay placing position precision primary real references returning right row
    select session_user setof similar smallint some substring symmetric system_user table tablesample then time timestamp to
    trailing treat trim true union unique user using values varchar variadic verbose when where window with xmlattributes
    xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
    """.split()  # noqa: SIM905 (a list literal would be two hundred lines)
)

#: pg_catalog's internal names -> as format_type() prints them
_TYPE_NAMES = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "varchar": "character varying",
    "bpchar": "character",
    "varbit": "bit varying",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "timetz": "time with time zone",
    "time": "time without time zone",
    "smallserial": "smallint",
    "serial2": "smallint",
    "serial": "integer",
    "serial4": "integer",
    "bigserial": "bigint",
    "serial8": "bigint",
}
SERIAL_TYPES = frozenset({"smallserial", "serial", "bigserial", "serial2", "serial4", "serial8"})
_TIME_TYPES = frozenset({"timestamptz", "timestamp", "timetz", "time"})
#: the bits of an interval's field mask, from the largest field (INTERVAL_MASK in PostgreSQL's utils/timestamp.h)
_INTERVAL_FIELDS = ((2, "year"), (1, "month"), (3, "day"), (10, "hour"), (11, "minute"), (12, "second"))


def quote_identifier(name: str) -> str:
    """The name as SQL: quoted only where PostgreSQL would need it."""
    if _PLAIN.match(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def split_qualified(name: str) -> tuple[str, ...]:
    """The parts of a dotted name; ``public.users`` -> ("public", "users"), quotes are honoured."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^.]+', name)
    return tuple(part[1:-1].replace('""', '"') if part.startswith('"') else part for part in parts)


def quote_qualified(name: str) -> str:
    """``public.users`` as SQL, each part quoted where that is needed."""
    return ".".join(quote_identifier(part) for part in split_qualified(name))


def from_range_var(node: Node) -> str:
    """The name in a RangeVar node as written: ``users`` or ``public.users``."""
    schema = node.get("schemaname")
    return f"{schema}.{node['relname']}" if schema else str(node["relname"])


def from_strings(nodes: Iterable[Node]) -> str:
    """The dotted name in a list of String nodes."""
    return ".".join(str(node["String"]["sval"]) for node in nodes if "String" in node)


def from_object(node: Node) -> str:
    """The dotted name of an object in DropStmt, CommentStmt and the like: List, TypeName, ObjectWithArgs or String."""
    if "List" in node:
        return from_strings(node["List"].get("items", ()))
    if "TypeName" in node:
        return from_strings(node["TypeName"].get("names", ()))
    if "ObjectWithArgs" in node:
        return from_strings(node["ObjectWithArgs"].get("objname", ()))
    return str(node.get("String", {}).get("sval", ""))


def raw_type(node: Node) -> str:
    """The last part of a TypeName as the grammar gives it: ``int4``, ``bigserial``, ``citext``."""
    names = node.get("names", ())
    return str(names[-1]["String"]["sval"]) if names else ""


def from_type_name(node: Node) -> str:
    """A TypeName node as format_type() prints it: ``character varying(80)``, ``timestamp(3) without time zone``, ``text[]``."""
    internal = raw_type(node)
    modifiers = _modifiers(node)
    schema = ".".join(str(name["String"]["sval"]) for name in node.get("names", ())[:-1])
    name = _TYPE_NAMES.get(internal, internal)
    if schema not in {"", "pg_catalog"}:
        name = f"{schema}.{internal}"
    if internal == "bpchar" and modifiers == "" and schema == "pg_catalog":
        modifiers = ""
    if internal == "interval":
        modifiers = _interval_fields(node) + modifiers
    if internal in _TIME_TYPES and modifiers:
        first, _, rest = name.partition(" ")
        name, modifiers = f"{first}{modifiers} {rest}".strip(), ""
    # PostgreSQL keeps no number of dimensions
    return name + modifiers + ("[]" if node.get("arrayBounds") else "")


def _modifiers(node: Node) -> str:
    values = []
    for modifier in node.get("typmods", ()):
        constant = modifier.get("A_Const", {})
        if "ival" in constant:
            values.append(str(constant["ival"].get("ival", 0)))
        elif "sval" in constant:
            values.append(str(constant["sval"].get("sval", "")))
    if raw_type(node) == "interval":
        # the first modifier is the field mask
        values = values[1:]
    if raw_type(node) == "numeric" and len(values) == 1:
        values.append("0")
    return f"({','.join(values)})" if values else ""


def _interval_fields(node: Node) -> str:
    """`` day to second`` of an interval that keeps some fields only; "" where it keeps them all."""
    masks = [modifier.get("A_Const", {}).get("ival", {}).get("ival", 0) for modifier in node.get("typmods", ())[:1]]
    kept = [name for bit, name in _INTERVAL_FIELDS if masks and masks[0] & (1 << bit)]
    if not kept or len(kept) == len(_INTERVAL_FIELDS):
        return ""
    return f" {kept[0]} to {kept[-1]}" if len(kept) > 1 else f" {kept[0]}"
