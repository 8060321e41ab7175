"""DDL from the catalog's records: what puts a dropped column, constraint, index, trigger or table back."""

import re
from collections.abc import Iterable, Sequence

from app.catalog.records import Column, Constraint, Index, Policy, Relation, Trigger
from app.sql.inverse.grants import owner_and_grants, relation_sql
from app.sql.inverse.known import literal
from app.sql.names import quote_identifier


def column_definition(column: Column) -> str:
    """A column as in ADD COLUMN."""
    parts = [quote_identifier(column.name), column.type]
    if column.collation:
        parts.append(f"COLLATE {relation_sql(column.collation)}")
    if column.generated:
        parts.append(f"GENERATED ALWAYS AS ({column.default}) {column.generated.upper()}")
    elif column.identity:
        parts.append(f"GENERATED {column.identity.upper()} AS IDENTITY")
    elif column.default is not None:
        parts.append(f"DEFAULT {column.default}")
    return " ".join(parts)


def column_extras(relation: Relation, column: Column) -> list[str]:
    """What hangs on a column and goes with it: its constraints, indexes and comment."""
    table = relation_sql(relation.name)
    statements: list[str] = []
    constraints = [item for item in relation.constraints if column.name in item.columns]
    if column.not_null and not any(item.kind == "not null" for item in constraints) and not column.identity:
        statements.append(f"ALTER TABLE {table} ALTER COLUMN {quote_identifier(column.name)} SET NOT NULL")
    if column.identity:
        constraints = [item for item in constraints if item.kind != "not null"]
    statements += add_constraints(constraints)
    statements += [index.definition for index in relation.indexes if index.constraint is None and column.name in index.depends_on]
    statements += [item.definition for item in relation.statistics if column.name in item.depends_on]
    statements += column_settings(table, column)
    if column.comment is not None:
        statements.append(f"COMMENT ON COLUMN {table}.{quote_identifier(column.name)} IS {literal(column.comment).strip()}")
    return statements


def column_settings(table: str, column: Column) -> list[str]:
    """The column's own statistics target, storage and compression."""
    target = "" if column.statistics_target is None else str(column.statistics_target)
    settings = {"STATISTICS": target, "STORAGE": column.storage, "COMPRESSION": column.compression}
    alter = f"ALTER TABLE {table} ALTER COLUMN {quote_identifier(column.name)}"
    return [f"{alter} SET {name} {value}" for name, value in settings.items() if value]


def add_constraints(constraints: Iterable[Constraint]) -> list[str]:
    """Constraints with their comments: keys before foreign keys, which need them."""
    order = {"not null": 0, "primary key": 1, "unique": 2, "exclusion": 3, "check": 4, "foreign key": 5}
    statements: list[str] = []
    found = list(constraints)
    kept = (item for item in found if item.kind in order and not any(_comes_with(item, other) for other in found))
    for item in sorted(kept, key=lambda item: order[item.kind]):
        table, name = relation_sql(item.relation), quote_identifier(item.name)
        statements.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {item.definition}")
        if item.comment is not None:
            statements.append(f"COMMENT ON CONSTRAINT {name} ON {table} IS {literal(item.comment).strip()}")
    return statements


def _comes_with(item: Constraint, other: Constraint) -> bool:
    """True for the copies of a foreign key that PostgreSQL makes by itself for each partition of what it references."""
    is_same_key = item.kind == other.kind == "foreign key" and (item.relation, item.columns) == (other.relation, other.columns)
    if not is_same_key or item.references == other.references:
        return False
    return re.fullmatch(rf"{re.escape(other.name)}_?[0-9]+", item.name) is not None


def index_definition(index: Index, *, concurrently: bool) -> str:
    """CREATE INDEX as the catalog prints it, optionally CONCURRENTLY."""
    if not concurrently:
        return index.definition
    return re.sub(r"^CREATE (UNIQUE )?INDEX ", lambda match: f"{match[0]}CONCURRENTLY ", index.definition, count=1)


def create_trigger(trigger: Trigger) -> list[str]:
    """A trigger, disabled where it was."""
    statements = [trigger.definition]
    if not trigger.is_enabled:
        statements.append(f"ALTER TABLE {relation_sql(trigger.relation)} DISABLE TRIGGER {quote_identifier(trigger.name)}")
    return statements


def create_policy(policy: Policy) -> str:
    """A row security policy."""
    return f"CREATE POLICY {quote_identifier(policy.name)} ON {relation_sql(policy.relation)} AS {policy.definition}"


def create_view(relation: Relation) -> list[str]:
    """A view or a materialized view with its indexes, triggers and comments."""
    word = "MATERIALIZED VIEW" if relation.kind == "materialized view" else "VIEW"
    options = f" WITH ({', '.join(relation.options)})" if relation.options else ""
    definition = (relation.view_definition or "").strip().rstrip(";")
    name = relation_sql(relation.name)
    statements = [f"CREATE {word} {name}{options} AS\n{definition}"]
    statements += [index.definition for index in relation.indexes]
    statements += comments(relation, word)
    statements += owner_and_grants(relation, word)
    for trigger in relation.triggers:
        statements += create_trigger(trigger)
    return statements


def comments(relation: Relation, word: str) -> list[str]:
    """The comments on a relation and its columns."""
    name = relation_sql(relation.name)
    found = [f"COMMENT ON {word} {name} IS {literal(relation.comment).strip()}"] if relation.comment is not None else []
    found += [
        f"COMMENT ON COLUMN {name}.{quote_identifier(column.name)} IS {literal(column.comment).strip()}"
        for column in relation.columns
        if column.comment is not None
    ]
    return found


def create_tables(relations: Sequence[Relation]) -> list[str]:
    """Plain tables with everything on them; foreign keys come last, since they may point at each other."""
    statements = [_bare_table(relation) for relation in relations]
    constraints = [item for relation in relations for item in relation.constraints if not _is_inline(relation, item)]
    statements += add_constraints(item for item in constraints if item.kind != "foreign key")
    for relation in relations:
        name = relation_sql(relation.name)
        statements += [index.definition for index in relation.indexes if index.constraint is None]
        statements += [item.definition for item in relation.statistics]
        for column in relation.columns:
            statements += column_settings(name, column)
        statements += comments(relation, "TABLE")
        statements += owner_and_grants(relation, "TABLE")
        for trigger in relation.triggers:
            statements += create_trigger(trigger)
        statements += [create_policy(policy) for policy in relation.policies]
        if relation.row_security:
            statements.append(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        if relation.replica_identity in {"full", "nothing"}:
            statements.append(f"ALTER TABLE {name} REPLICA IDENTITY {relation.replica_identity.upper()}")
    return statements + add_constraints(item for item in constraints if item.kind == "foreign key")


def _is_inline(relation: Relation, item: Constraint) -> bool:
    """True for the not-null of an identity column, which comes with the identity."""
    column = relation.column(item.columns[0]) if item.kind == "not null" and item.columns else None
    return column is not None and bool(column.identity) and item.name == default_not_null(relation, column)


def default_not_null(relation: Relation, column: Column) -> str:
    """The name that PostgreSQL 18 gives a not-null constraint by itself, where it is not too long."""
    return f"{relation.name.partition('.')[2]}_{column.name}_not_null"


def _bare_table(relation: Relation) -> str:
    unlogged = "UNLOGGED " if relation.is_unlogged else ""
    columns = [
        f"    {column_definition(column)}{' NOT NULL' if _needs_inline_not_null(relation, column) else ''}"
        for column in relation.columns
    ]
    options = f" WITH ({', '.join(relation.options)})" if relation.options else ""
    body = ",\n".join(columns)
    return f"CREATE {unlogged}TABLE {relation_sql(relation.name)} (\n{body}\n){options}"


def _needs_inline_not_null(relation: Relation, column: Column) -> bool:
    """Before PostgreSQL 18 a not-null is no constraint of its own."""
    return column.not_null and not any(
        item.kind == "not null" and item.columns == (column.name,) for item in relation.constraints
    )
