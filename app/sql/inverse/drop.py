"""DROP -> CREATE from the catalog's definitions."""

from collections.abc import Callable, Mapping, Sequence

from app.catalog.records import Relation
from app.sql.inverse.functions import signature_of
from app.sql.inverse.grants import relation_sql
from app.sql.inverse.known import Known, find_trigger, literal, objects_of
from app.sql.inverse.restore import (
    create_policy,
    create_tables,
    create_trigger,
    create_view,
    index_definition,
)
from app.sql.inverse.undo import Undo, exact, in_reverse, lossy, manual, nothing
from app.sql.names import quote_identifier
from app.sql.split import Statement
from app.sql.tree import Node

_Parts = tuple[str, ...]
_CASCADE = "CASCADE takes other objects along."
_CATALOG_ONLY = "How it was made is known to the catalog only."
_MADE_HERE = "The same plan makes it and drops it: leave both out, or write how to undo it."
_DECORATED = "It has a comment, grants or other marks that only a person can put back."


def undo_drop(statement: Statement, known: Known) -> Undo:
    """DROP of tables, views, indexes, triggers, policies, functions, types, sequences, schemas."""
    body = statement.body
    kind = str(body.get("removeType"))
    if kind == "OBJECT_TABLE":
        return _tables(body, known)
    if kind in {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE"}:
        return in_reverse([_function(entry, body, known) for entry in body.get("objects", ())])
    one = _ONE.get(kind)
    if one is None:
        return manual(f"{_CATALOG_ONLY} There is no rule for it.")
    return in_reverse([one(parts, body, known) for parts in objects_of(body)])


def _key(parts: _Parts, known: Known) -> str:
    return known.key_of(parts[0] if len(parts) > 1 else "", parts[-1])


def _missing(body: Node) -> Undo:
    if body.get("missing_ok"):
        return nothing("It is not there: the statement does nothing.")
    return manual("The catalog does not know it.")


def _cascades(body: Node) -> bool:
    return body.get("behavior") == "DROP_CASCADE"


def _tables(body: Node, known: Known) -> Undo:
    keys = [_key(parts, known) for parts in objects_of(body)]
    if any(known.is_made("table", key) for key in keys):
        return manual(_MADE_HERE)
    if known.schema is None or any(known.is_stale(key, "all") for key in keys):
        return manual("What the table was like is known to the catalog only; its rows are lost in any case.")
    found = [relation for key in keys if (relation := known.relation(key)) is not None]
    if len(found) < len(keys) and not body.get("missing_ok"):
        return manual("The catalog does not know the table.")
    if not found:
        return _missing(body)
    for relation in found:
        if (obstacle := _table_obstacle(relation, body, known)) is not None:
            return manual(f"{obstacle} The rows of {relation.name} are lost in any case.")
    names = ", ".join(relation.name for relation in found)
    return lossy(*create_tables(found), reason=f"{names} comes back without its rows.")


def _table_obstacle(relation: Relation, body: Node, known: Known) -> str | None:  # noqa: PLR0911 - one return for each reason
    """Why a table can't be made again from its record."""
    if relation.kind != "table" or relation.parents or known.children(relation.name):
        return "It is partitioned, a partition, inherits, or is a foreign table."
    if any(
        known.is_stale(relation.name, aspect)
        for aspect in ("columns", "constraints", "options", "grants", "owner", "indexes", "triggers", "policies")
    ):
        return "What it is like now is not known after the statements before."
    if _cascades(body) and relation.dependents:
        return _CASCADE
    if any(column.owned_sequence is not None and not column.identity for column in relation.columns):
        return "The sequence of a serial column goes with it."
    marked = [f"relation {relation.name}", *(f"index {index.name}" for index in relation.indexes)]
    marked += [f"column {relation.name}.{column.name}" for column in relation.columns]
    marked += [f"trigger {relation.name}.{trigger.name}" for trigger in relation.triggers]
    marked += [f"policy {relation.name}.{policy.name}" for policy in relation.policies]
    if any(known.is_decorated(what) for what in marked):
        return _DECORATED
    if relation.replica_identity == "index" or any(item.kind == "trigger" for item in relation.constraints):
        return "Its replica identity or constraint triggers are not followed."
    return None


def _index(parts: _Parts, body: Node, known: Known) -> Undo:  # noqa: PLR0911 - one return for each reason
    index = known.index(known.index_key(parts))
    if known.schema is None:
        return manual(_CATALOG_ONLY)
    if index is None:
        return _missing(body)
    relation = known.schema.relations.get(index.relation)
    if _cascades(body) or index.is_replica_identity or not index.is_valid:
        return manual("CASCADE, an invalid index or a replica identity: only a person can say what should come back.")
    if relation is not None and (relation.parents or known.children(relation.name)):
        return manual("The indexes of the partitions would come back under other names.")
    if known.is_decorated(f"index {index.name}"):
        return manual(_DECORATED)
    if known.is_stale(index.relation, "columns"):
        return manual("What the table is like now is not known after the statements before.")
    return exact(index_definition(index, concurrently=bool(body.get("concurrent"))))


def _view(parts: _Parts, body: Node, known: Known) -> Undo:  # noqa: PLR0911 - one return for each reason
    key = _key(parts, known)
    if known.is_made("table", key):
        return manual(_MADE_HERE)
    if known.schema is None or known.is_stale(key, "all"):
        return manual(_CATALOG_ONLY)
    relation = known.relation(key)
    if relation is None:
        return _missing(body)
    if _cascades(body) and relation.dependents:
        return manual(_CASCADE)
    if relation.view_definition is None:
        return manual(_CATALOG_ONLY)
    if known.is_decorated(f"relation {key}") or any(known.is_decorated(f"index {index.name}") for index in relation.indexes):
        return manual(_DECORATED)
    return exact(*create_view(relation))


def _trigger(parts: _Parts, body: Node, known: Known) -> Undo:
    key = _key(parts[:-1], known)
    if known.is_stale(key, "triggers") or known.relation(key) is None:
        return manual(_CATALOG_ONLY)
    trigger = find_trigger(known.relation(key), parts[-1])
    if trigger is None:
        return _missing(body)
    return manual(_DECORATED) if known.is_decorated(f"trigger {key}.{trigger.name}") else exact(*create_trigger(trigger))


def _policy(parts: _Parts, body: Node, known: Known) -> Undo:
    key = _key(parts[:-1], known)
    relation = known.relation(key)
    if known.is_stale(key, "policies") or relation is None:
        return manual(_CATALOG_ONLY)
    policy = next((policy for policy in relation.policies if policy.name == parts[-1]), None)
    if policy is None:
        return _missing(body)
    return manual(_DECORATED) if known.is_decorated(f"policy {key}.{policy.name}") else exact(create_policy(policy))


def _function(entry: Node, body: Node, known: Known) -> Undo:
    if known.schema is None or _cascades(body):
        return manual(_CATALOG_ONLY if known.schema is None else _CASCADE)
    function = signature_of(entry.get("ObjectWithArgs", {}), known)
    if function is None or known.is_stale(function.signature, "function"):
        return manual("Which function is meant is not certain.")
    if function.kind == "aggregate":
        return manual("There is no rule for aggregates.")
    if known.is_decorated(f"function {function.signature}"):
        return manual(_DECORATED)
    return exact(function.definition.rstrip().rstrip(";"))


def _type(parts: _Parts, body: Node, known: Known) -> Undo:
    key = _key_of_type(parts, known)
    enum = known.schema.enums.get(key) if known.schema is not None else None
    if known.schema is None or _cascades(body) or known.is_stale(key, "type"):
        return manual(_CATALOG_ONLY)
    if enum is None:
        return manual("There is no rule for this type, or the catalog does not know it.")
    if known.is_decorated(f"type {key}"):
        return manual(_DECORATED)
    labels = ", ".join(literal(label).strip() for label in enum.labels)
    return exact(f"CREATE TYPE {relation_sql(key)} AS ENUM ({labels})")


def _key_of_type(parts: _Parts, known: Known) -> str:
    if len(parts) > 1 or known.schema is None:
        return ".".join(parts)
    known_types = {**known.schema.enums, **known.schema.domains}
    path = (f"{namespace}.{parts[0]}" for namespace in known.schema.search_path)
    return next((name for name in path if name in known_types), parts[0])


def _domain(parts: _Parts, body: Node, known: Known) -> Undo:
    key = _key_of_type(parts, known)
    domain = known.schema.domains.get(key) if known.schema is not None else None
    if domain is None or _cascades(body) or known.is_stale(key, "type"):
        return manual(_CATALOG_ONLY)
    if known.is_decorated(f"type {key}"):
        return manual(_DECORATED)
    clauses = [f"DEFAULT {domain.default}"] if domain.default is not None else []
    named = [item for item in domain.constraints if item.kind in {"check", "not null"}]
    if domain.not_null and not any(item.kind == "not null" for item in named):
        clauses.append("NOT NULL")
    create = " ".join([f"CREATE DOMAIN {relation_sql(key)} AS {domain.base_type}", *clauses])
    added = [f"ALTER DOMAIN {relation_sql(key)} ADD CONSTRAINT {quote_identifier(item.name)} {item.definition}" for item in named]
    return exact(create, *added)


def _sequence(parts: _Parts, body: Node, known: Known) -> Undo:
    key = _key(parts, known)
    sequence = known.schema.sequences.get(_sequence_key(parts, known)) if known.schema is not None else None
    if sequence is None or _cascades(body) or sequence.owned_by is not None or known.is_stale(key, "sequence"):
        return manual(_CATALOG_ONLY)
    if known.is_decorated(f"sequence {sequence.name}"):
        return manual(_DECORATED)
    cycle = "CYCLE" if sequence.cycle else "NO CYCLE"
    return lossy(
        f"CREATE SEQUENCE {relation_sql(sequence.name)} AS {sequence.type} INCREMENT BY {sequence.increment} "
        f"MINVALUE {sequence.minimum} MAXVALUE {sequence.maximum} START WITH {sequence.start} CACHE {sequence.cache} {cycle}",
        reason=f"The sequence starts again from {sequence.start}.",
    )


def _sequence_key(parts: _Parts, known: Known) -> str:
    if len(parts) > 1 or known.schema is None:
        return ".".join(parts)
    path = (f"{namespace}.{parts[0]}" for namespace in known.schema.search_path)
    return next((name for name in path if name in known.schema.sequences), parts[0])


def _schema(parts: _Parts, body: Node, known: Known) -> Undo:
    if known.schema is None or _cascades(body):
        return manual(_CASCADE if _cascades(body) else "Who owned the schema is known to the catalog only.")
    if parts[0] not in known.schema.schemas:
        return _missing(body)
    if known.is_decorated(f"schema {parts[0]}"):
        return manual(_DECORATED)
    return exact(f"CREATE SCHEMA {quote_identifier(parts[0])}", reason="It belongs to whoever rolls back.")


_ONE: Mapping[str, Callable[[_Parts, Node, Known], Undo]] = {
    "OBJECT_INDEX": _index,
    "OBJECT_VIEW": _view,
    "OBJECT_MATVIEW": _view,
    "OBJECT_TRIGGER": _trigger,
    "OBJECT_POLICY": _policy,
    "OBJECT_TYPE": _type,
    "OBJECT_DOMAIN": _domain,
    "OBJECT_SEQUENCE": _sequence,
    "OBJECT_SCHEMA": _schema,
}


def dropped_keys(statement: Statement, known: Known) -> Sequence[str]:
    """The qualified names of the relations that a DROP removes."""
    return [_key(parts, known) for parts in objects_of(statement.body)]
