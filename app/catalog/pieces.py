"""Turns one row of an answer into one record of the schema; letters of the catalog become words here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from app.catalog.records import (
    Constraint,
    ConstraintKind,
    Dependent,
    Domain,
    ExtendedStatistics,
    Function,
    Index,
    Policy,
    RelationKind,
    Trigger,
)
from app.catalog.records import (
    Sequence as SequenceRecord,
)

Row = Mapping[str, Any]
#: relation -> column number -> column name
Attributes = Mapping[int, Mapping[int, str]]

RELATION_KINDS: Mapping[str, RelationKind] = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
    "c": "composite type",
}
REPLICA_IDENTITY: Mapping[str, Literal["default", "nothing", "full", "index"]] = {
    "d": "default",
    "n": "nothing",
    "f": "full",
    "i": "index",
}
IDENTITY: Mapping[str, Literal["", "always", "by default"]] = {"": "", "a": "always", "d": "by default"}
GENERATED: Mapping[str, Literal["", "stored", "virtual"]] = {"": "", "s": "stored", "v": "virtual"}
_CONSTRAINT_KINDS: Mapping[str, ConstraintKind] = {
    "p": "primary key",
    "u": "unique",
    "f": "foreign key",
    "c": "check",
    "n": "not null",
    "x": "exclusion",
    "t": "trigger",
}
_VOLATILITY: Mapping[str, Literal["immutable", "stable", "volatile"]] = {"i": "immutable", "s": "stable", "v": "volatile"}
_FUNCTION_KINDS: Mapping[str, Literal["function", "procedure", "aggregate", "window"]] = {
    "f": "function",
    "p": "procedure",
    "a": "aggregate",
    "w": "window",
}


def _names(numbers: Iterable[int] | None, attributes: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(attributes[number] for number in numbers or () if number in attributes)


def index_of(row: Row, relation: str, attributes: Attributes) -> Index:
    """One index; an expression among its keys is None."""
    columns = attributes.get(row["relation_oid"], {})
    numbers: Sequence[int] = row["attnums"]
    keys, included = numbers[: row["key_count"]], numbers[row["key_count"] :]
    return Index(
        name=row["name"],
        relation=relation,
        definition=row["definition"],
        columns=tuple(columns.get(number) for number in keys),
        included=_names(included, columns),
        method=row["method"],
        is_unique=row["is_unique"],
        is_primary=row["is_primary"],
        is_valid=row["is_valid"],
        is_replica_identity=row["is_replica_identity"],
        predicate=row["predicate"],
        constraint=row["constraint_name"],
        depends_on=_names(sorted({*numbers, *(row["used"] or ())}), columns),
        size_bytes=row["size_bytes"],
        scans=row["scans"],
    )


def constraint_of(row: Row, relation: str, attributes: Attributes) -> Constraint:
    """One constraint of a table."""
    return Constraint(
        name=row["name"],
        relation=relation,
        kind=_CONSTRAINT_KINDS[row["kind"]],
        definition=row["definition"],
        columns=_names(row["attnums"], attributes.get(row["relation_oid"], {})),
        is_validated=row["is_validated"],
        references=row["referenced"],
        referenced_columns=_names(row["referenced_attnums"], attributes.get(row["referenced_oid"], {})),
        index=row["index_name"],
        comment=row["comment"],
    )


def trigger_of(row: Row, relation: str, _attributes: Attributes) -> Trigger:
    """One trigger."""
    return Trigger(
        name=row["name"], relation=relation, definition=row["definition"], function=row["function"], is_enabled=row["is_enabled"]
    )


def policy_of(row: Row, relation: str, _attributes: Attributes) -> Policy:
    """One row security policy."""
    return Policy(name=row["name"], relation=relation, definition=row["definition"])


def dependent_of(row: Row, _relation: str, _attributes: Attributes) -> Dependent:
    """One object that depends on a relation."""
    return Dependent(kind=row["kind"], name=row["name"], columns=tuple(row["columns"]))


def statistics_of(row: Row, _relation: str, attributes: Attributes) -> ExtendedStatistics:
    """One statistics object with the columns that it needs."""
    columns = attributes.get(row["relation_oid"], {})
    return ExtendedStatistics(name=row["name"], definition=row["definition"], depends_on=_names(row["used"], columns))


def domain_of(row: Row, checks: Iterable[Row]) -> Domain:
    """One domain with what it checks."""
    return Domain(
        name=row["name"],
        base_type=row["base_type"],
        not_null=row["not_null"],
        default=row["default"],
        constraints=tuple(
            Constraint(
                name=check["name"],
                relation=row["name"],
                kind=_CONSTRAINT_KINDS[check["kind"]],
                definition=check["definition"],
                is_validated=check["is_validated"],
            )
            for check in checks
        ),
        used_by=tuple(row["used_by"]),
    )


def function_of(row: Row) -> Function:
    """One function, procedure or aggregate."""
    return Function(
        signature=row["signature"],
        language=row["language"],
        volatility=_VOLATILITY[row["volatility"]],
        definition=row["definition"],
        kind=_FUNCTION_KINDS[row["kind"]],
    )


def sequence_of(row: Row) -> SequenceRecord:
    """One sequence with its owner."""
    return SequenceRecord(**row)
