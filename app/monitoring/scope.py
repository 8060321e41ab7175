"""What a plan's watch is about: the relations it touches, and its own statements, which are not the application's."""

from collections.abc import Iterator

from app.catalog.records import Schema
from app.errors import HeadgateError
from app.plan.model import Plan
from app.sql.identity import identify
from app.sql.names import from_object
from app.sql.relations import references
from app.sql.split import Statement, split


def relations_of(plan: Plan, *schemas: Schema) -> tuple[str, ...]:
    """The qualified tables that the plan's steps change or make, as the schemas (before and after the run) know them."""
    written = {name for statement in _statements(plan) for name in (*references(statement), *_dropped_indexes(statement))}
    written |= {str(step.spec["table"]) for step in plan.steps() if step.kind == "backfill"}
    tables = {"table", "partitioned table", "materialized view", "foreign table"}
    found = {
        name for schema in schemas for name in map(schema.resolve, written) if name and schema.relations[name].kind in tables
    }
    # an index is named without its table by DROP INDEX and REINDEX
    found |= {
        index.relation
        for schema in schemas
        for relation in schema.relations.values()
        for index in relation.indexes
        if index.name in written or index.name.rpartition(".")[2] in written
    }
    return tuple(sorted(found))


def fingerprints_of(plan: Plan) -> frozenset[str]:
    """Fingerprints of every statement that the plan itself sends: its SQL, its checks, its rollbacks."""
    texts = [statement.text for statement in _statements(plan)]
    for step in plan.steps():
        texts += [str(step.spec[name]) for name in ("query", "statement") if name in step.spec]
        texts += [statement.text for statement in split(step.rollback.sql)] if step.rollback and step.rollback.sql else []
    return frozenset(identify(text).key for text in texts)


def _dropped_indexes(statement: Statement) -> Iterator[str]:
    body = statement.node.get("DropStmt", {})
    if body.get("removeType") == "OBJECT_INDEX":
        yield from (from_object(entry) for entry in body.get("objects", ()))


def _statements(plan: Plan) -> Iterator[Statement]:
    for step in plan.steps():
        if step.kind != "sql":
            continue
        try:
            yield from split(step.spec["sql"])
        except HeadgateError:
            continue
