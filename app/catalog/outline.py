"""A schema as a flat list: every object by kind and name, with the text that makes it what it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.catalog.records import Column, Constraint, Domain, Relation, Schema, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalObject:
    """One object of a schema."""

    kind: str
    name: str
    #: compares equal exactly where the object is the same
    definition: str
    #: for a table that is added or removed: its columns and constraints too
    full: str | None = None


def outline(schema: Schema) -> dict[tuple[str, str], CanonicalObject]:
    """Every object of the schema by (kind, name)."""
    return {(found.kind, found.name): found for found in _objects(schema)}


def column_order(relation: Relation) -> list[str]:
    """The names of the columns, in order."""
    return [column.name for column in relation.columns]


def _objects(schema: Schema) -> Iterator[CanonicalObject]:
    for name in schema.schemas:
        yield CanonicalObject(kind="schema", name=name, definition="")
    for name in schema.extensions:
        yield CanonicalObject(kind="extension", name=name, definition="")
    for enum in schema.enums.values():
        yield CanonicalObject(kind="enum", name=enum.name, definition=f"ENUM ({', '.join(map(repr, enum.labels))})")
    for domain in schema.domains.values():
        yield CanonicalObject(kind="domain", name=domain.name, definition=_domain(domain))
    for function in schema.functions.values():
        yield CanonicalObject(kind=function.kind, name=function.signature, definition=function.definition.strip())
    for sequence in schema.sequences.values():
        yield CanonicalObject(kind="sequence", name=sequence.name, definition=_sequence(sequence))
    for relation in schema.relations.values():
        yield from _of_relation(relation)


def _of_relation(relation: Relation) -> Iterator[CanonicalObject]:
    constraints = [found for found in relation.constraints if not is_plain_not_null(found)]
    traits = _relation(relation)
    columns = [f"{column.name} {column_text(column)}" for column in relation.columns]
    lines = columns + [f"CONSTRAINT {constraint.name} {constraint.definition}" for constraint in constraints]
    yield CanonicalObject(
        kind=relation.kind, name=relation.name, definition=traits, full=f"({', '.join(lines)})" + (f" {traits}" if traits else "")
    )
    for column in relation.columns:
        yield CanonicalObject(kind="column", name=f"{relation.name}.{column.name}", definition=column_text(column))
    for constraint in constraints:
        yield CanonicalObject(kind="constraint", name=f"{relation.name}.{constraint.name}", definition=_constraint(constraint))
    for index in relation.indexes:
        marks = ("" if index.is_valid else " INVALID") + (" REPLICA IDENTITY" if index.is_replica_identity else "")
        if index.constraint is None or marks:
            yield CanonicalObject(kind="index", name=index.name, definition=index.definition + marks)
    for trigger in relation.triggers:
        text = trigger.definition + ("" if trigger.is_enabled else " DISABLED")
        yield CanonicalObject(kind="trigger", name=f"{relation.name}.{trigger.name}", definition=text)
    for policy in relation.policies:
        yield CanonicalObject(kind="policy", name=f"{relation.name}.{policy.name}", definition=policy.definition)


def is_plain_not_null(constraint: Constraint) -> bool:
    """True for what the column says already: a validated NOT NULL that partitions and children inherit."""
    return constraint.kind == "not null" and constraint.is_validated and "NO INHERIT" not in constraint.definition


def _relation(relation: Relation) -> str:
    parts = [
        relation.view_definition and f"AS {' '.join(relation.view_definition.split())}",
        relation.is_unlogged and "UNLOGGED",
        relation.partition_key and f"PARTITION BY {relation.partition_key}",
        relation.parents and f"{'PARTITION OF' if relation.partition_bound else 'INHERITS'} {', '.join(relation.parents)}",
        relation.partition_bound,
        relation.options and f"WITH ({', '.join(sorted(relation.options))})",
        relation.row_security and "ROW LEVEL SECURITY",
        relation.kind in {"table", "partitioned table"}
        and relation.replica_identity != "default"
        and f"REPLICA IDENTITY {relation.replica_identity.upper()}",
        relation.comment and f"COMMENT {relation.comment!r}",
    ]
    return " ".join(part for part in parts if part)


def column_text(column: Column) -> str:
    """A column as a CREATE TABLE would write it after its name, with its comment."""
    parts = [
        column.type,
        column.collation and f"COLLATE {column.collation}",
        column.identity and f"GENERATED {column.identity.upper()} AS IDENTITY",
        column.generated and f"GENERATED ALWAYS AS ({column.default}) {column.generated.upper()}",
        not column.generated and column.default is not None and f"DEFAULT {column.default}",
        column.not_null and "NOT NULL",
        column.comment and f"COMMENT {column.comment!r}",
    ]
    return " ".join(part for part in parts if part)


def _constraint(constraint: Constraint) -> str:
    return constraint.definition + (f" COMMENT {constraint.comment!r}" if constraint.comment else "")


def _domain(domain: Domain) -> str:
    checks = [f"CONSTRAINT {check.name} {check.definition}" for check in domain.constraints if check.kind != "not null"]
    default = "" if domain.default is None else f" DEFAULT {domain.default}"
    return f"{domain.base_type}{default}{' NOT NULL' if domain.not_null else ''} {' '.join(checks)}".strip()


def _sequence(sequence: Sequence) -> str:
    owner = f" OWNED BY {sequence.owned_by}" if sequence.owned_by else ""
    return (
        f"AS {sequence.type} START {sequence.start} INCREMENT {sequence.increment} MINVALUE {sequence.minimum}"
        f" MAXVALUE {sequence.maximum} CACHE {sequence.cache}{' CYCLE' if sequence.cycle else ''}{owner}"
    )
