"""The schema as it is against the schema as it should be."""

from collections.abc import Collection, Iterable, Iterator

from app.catalog.fingerprint import SchemaChange, difference, fingerprint
from app.catalog.records import Constraint, Index, Schema
from app.verification.promises import Promise

_MAJOR = 10_000
#: PostgreSQL prints these in slightly different words from one major version to the next.
_REWORDED = frozenset(
    {"view", "materialized view", "function", "procedure", "aggregate", "policy", "index", "constraint", "domain"}
)


def unlike(expected: Schema, actual: Schema, before: Schema | None) -> tuple[list[SchemaChange], list[SchemaChange]]:
    """What is not as rehearsed, and what may only be worded differently by another major version.

    An extension that the shadow lacks, or has, is no finding where the run did not change it.
    """
    changes = difference(expected, actual)
    if before is not None and before.extensions.keys() == actual.extensions.keys():
        changes = [change for change in changes if change.kind != "extension"]
    same_major = expected.server_version_num // _MAJOR == actual.server_version_num // _MAJOR
    doubtful = [change for change in changes if not same_major and change.change == "changed" and change.kind in _REWORDED]
    return [change for change in changes if change not in doubtful], doubtful


def against(change: SchemaChange) -> str:
    """One difference from the rehearsed schema in a sentence."""
    what = f"{change.kind} {change.object}"
    if change.change == "added":
        return f"{what} is there, but was not after the rehearsal: {_line(change.definition)}"
    if change.change == "removed":
        return f"{what} is missing; after the rehearsal it was: {_line(change.definition)}"
    return f"{what} is {_line(change.definition)}; after the rehearsal it was {_line(change.was or '')}"


def is_fingerprint(schema: Schema, expected: str) -> bool:
    """True where the schema's fingerprint is that one."""
    return fingerprint(schema) == expected


def invalid_indexes(schema: Schema) -> Iterator[Index]:
    """The indexes that PostgreSQL does not use, left by a build that failed."""
    return (index for relation in schema.relations.values() for index in relation.indexes if not index.is_valid)


def loose_constraints(schema: Schema) -> Iterator[Constraint]:
    """The constraints that existing rows were not checked for."""
    return (found for relation in schema.relations.values() for found in relation.constraints if not found.is_validated)


def resolved(names: Iterable[str], schema: Schema) -> set[str]:
    """``users.positive`` as written -> ``public.users.positive``."""
    found = set()
    for name in names:
        table, _, part = name.rpartition(".")
        found.add(f"{schema.resolve(table) or table}.{part}")
    return found


def broken_promises(objects: Iterable[tuple[Promise, bool]], schema: Schema) -> Iterator[str]:
    """A sentence for every object that is not there and should be, or is there and should not be."""
    indexes = {index.name for relation in schema.relations.values() for index in relation.indexes}
    for (kind, name), should_be in objects:
        if _is_there(kind, name, schema, indexes) != should_be:
            yield f"{kind} {name} {'is missing' if should_be else 'is still there'}"


def _is_there(kind: str, name: str, schema: Schema, indexes: Collection[str]) -> bool:
    if kind == "index":
        return name in indexes or any(index.rpartition(".")[2] == name for index in indexes)
    if kind not in {"column", "constraint"}:
        return schema.resolve(name) is not None
    table, _, part = name.rpartition(".")
    relation = schema.relations.get(schema.resolve(table) or "")
    return relation is not None and (relation.column(part) if kind == "column" else relation.constraint(part)) is not None


def _line(text: str, limit: int = 200) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
