"""Whether ALTER COLUMN TYPE rewrites the table: PostgreSQL's own exceptions, as measured (tests/postgres/analysis repeats it)."""

import re
from dataclasses import dataclass
from typing import Literal

from app.sql.names import from_type_name
from app.sql.tree import Node, strings

Work = Literal["nothing", "rewrite", "unknown"]

_TYPE = re.compile(r"(?P<base>[^(\[]+)(?:\((?P<modifiers>[^)]*)\)(?P<rest>[^\[]*))?(?P<array>(?:\[\])*)\Z")
_TEXTS = frozenset({"text", "character varying", "citext"})
_TIMES = frozenset({"timestamp without time zone", "timestamp with time zone", "time without time zone", "time with time zone"})
_STAMPS = frozenset({"timestamp without time zone", "timestamp with time zone"})
_MOST_DIGITS_OF_A_SECOND = 6
#: what an interval keeps, from the smallest field; one that names no field keeps all
_FIELDS = ("second", "minute", "hour", "day", "month", "year")
_NUMBERS_OF_OBJECTS = frozenset({"oid", "regclass", "regtype", "regproc", "regprocedure", "regrole", "regnamespace", "regoper"})
#: pairs that share their stored form (pg_cast.castmethod = 'b'), besides texts and numbers of objects
_SAME_BYTES = frozenset(
    {
        ("cidr", "inet"),
        ("bit", "bit varying"),
        ("bit varying", "bit"),
        ("xml", "text"),
        ("xml", "character varying"),
    }
)
#: the operator class changes, so every index on the column is built anew though the table is not
_OTHER_OPERATORS = frozenset({"citext", "bit", "bit varying", "integer", *_STAMPS})


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeParts:
    """A type as format_type() prints it, taken apart."""

    base: str
    modifiers: tuple[int, ...]
    dimensions: int
    #: the smallest field that an interval keeps, by its place in _FIELDS; 0 for every other type
    smallest_field: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeChange:
    """What a change of type costs, and why."""

    work: Work
    reason: str
    #: indexes on the column are built anew even though the table is not rewritten
    rebuilds_indexes: bool = False
    #: values may not fit
    narrows: bool = False


def parts_of(name: str) -> TypeParts:
    """``timestamp(3) without time zone[]`` -> base, modifiers, dimensions."""
    match = _TYPE.match(name.strip().removeprefix("pg_catalog."))
    if match is None:
        return TypeParts(base=name, modifiers=(), dimensions=0)
    numbers = tuple(int(number) for number in re.findall(r"-?\d+", match["modifiers"] or ""))
    base = " ".join(f"{match['base']} {match['rest'] or ''}".replace('"', "").split())
    base = "citext" if base.endswith(".citext") else base
    first, _, fields = base.partition(" ")
    smallest = 0
    if first == "interval" and fields:
        base, smallest = first, _FIELDS.index(fields.rpartition(" ")[2])
    return TypeParts(base=base, modifiers=numbers, dimensions=len(match["array"]) // 2, smallest_field=smallest)


def judge(
    old: str | None, new: str, *, using: Node | None, column: str, is_utc: bool = True, is_domain: bool = False
) -> TypeChange:
    """What the change from one type to another costs; ``using`` is the expression of USING.

    ``is_domain``: ``old`` is what is under a domain, whose own limits a cast does not look at.
    """
    if using is not None and not _is_plain(using, column, new):
        return TypeChange(work="rewrite", reason="USING computes a new value for every row")
    if old is None:
        return TypeChange(work="unknown", reason="the column's present type is not known")
    before, after = parts_of(_bare(old, new)), parts_of(_bare(new, old))
    if is_domain and before.modifiers:
        before = TypeParts(base=before.base, modifiers=(), dimensions=before.dimensions)
    narrows = _narrows(before, after)
    if before == after:
        return TypeChange(work="nothing", reason="the type stays the same")
    if before.dimensions or after.dimensions:
        return _of_arrays(before, after, narrows=narrows)
    if _is_stored_alike(before, after, is_utc=is_utc):
        swapped = before.base != after.base and bool({before.base, after.base} & _OTHER_OPERATORS)
        return TypeChange(work="nothing", reason="both types are stored alike", rebuilds_indexes=swapped)
    return TypeChange(work="rewrite", reason=f"{old} and {new} are stored differently", narrows=narrows)


def _of_arrays(before: TypeParts, after: TypeParts, *, narrows: bool) -> TypeChange:
    if before.base == after.base and before.dimensions and after.dimensions and after.modifiers in {(), before.modifiers}:
        return TypeChange(work="nothing", reason="the elements stay as they are")
    return TypeChange(work="rewrite", reason="the values of an array are converted one by one", narrows=narrows)


def _bare(name: str, other: str) -> str:
    """A type's name without its schema, where the other name comes without one."""
    return name.rpartition(".")[2] if "." in name.partition("(")[0] and "." not in other.partition("(")[0] else name


def _is_plain(using: Node, column: str, new: str) -> bool:
    """True for ``USING c`` and ``USING c::new_type``, which say what PostgreSQL does anyway."""
    node = using
    if "TypeCast" in node:
        if from_type_name(node["TypeCast"]["typeName"]) != new:
            return False
        node = node["TypeCast"]["arg"]
    return strings(node.get("ColumnRef", {}).get("fields"))[-1:] == (column,)


def _is_stored_alike(before: TypeParts, after: TypeParts, *, is_utc: bool) -> bool:
    if before.base == after.base:
        return _is_wider(before, after)
    if {before.base, after.base} <= _TEXTS:
        return not after.modifiers
    if {before.base, after.base} == _STAMPS:
        # another type's limit of digits is applied to every value, even where it is the same
        return is_utc and (not after.modifiers or after.modifiers[0] == _MOST_DIGITS_OF_A_SECOND)
    if {before.base, after.base} <= _NUMBERS_OF_OBJECTS | {"integer"}:
        return before.base == "integer" or after.base == "integer" or "oid" in {before.base, after.base}
    return (before.base, after.base) in _SAME_BYTES and after.base != "bit" and not after.modifiers


def _is_wider(before: TypeParts, after: TypeParts) -> bool:
    """True where a new modifier keeps every stored value as it is."""
    if before.base == "interval":
        # PostgreSQL counts digits only where the present type keeps seconds
        return after.smallest_field <= before.smallest_field and (before.smallest_field > 0 or _keeps_fraction(before, after))
    if before.base in _TIMES:
        return _keeps_fraction(before, after)
    if before.base == "numeric":
        if not after.modifiers:
            return True
        return (
            bool(before.modifiers) and before.modifiers[0] <= after.modifiers[0] and before.modifiers[1:] == after.modifiers[1:]
        )
    if before.base in {"character varying", "bit varying"}:
        return not after.modifiers or (bool(before.modifiers) and before.modifiers[0] <= after.modifiers[0])
    return before.modifiers == after.modifiers


def _keeps_fraction(before: TypeParts, after: TypeParts) -> bool:
    def digits(parts: TypeParts) -> int:
        return parts.modifiers[-1] if parts.modifiers else _MOST_DIGITS_OF_A_SECOND

    return digits(after) >= digits(before)


_ORDER = ("smallint", "integer", "bigint", "numeric")


def _narrows(before: TypeParts, after: TypeParts) -> bool:
    if before.base in _ORDER and after.base in _ORDER and before.base != after.base:
        return _ORDER.index(after.base) < _ORDER.index(before.base)
    if after.base in {"character varying", "character"} and after.modifiers:
        return not before.modifiers or before.modifiers[0] > after.modifiers[0]
    return before.base == after.base == "numeric" or before.base in _TEXTS
