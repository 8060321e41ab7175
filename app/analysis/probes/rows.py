"""How a question about rows is written: what is shown of each, from which relation, under which condition."""

from collections.abc import Iterable, Sequence

from app.analysis.probes.probe import SHOWN_CHARACTERS
from app.catalog.records import Relation, Schema
from app.sql.inverse.grants import relation_sql
from app.sql.names import quote_identifier

_MOST_KEYS = 3


def target_relation(schema: Schema | None, name: str) -> Relation | None:
    """The relation as the target has it now; None where the plan itself makes it."""
    found = schema.relations.get(name) if schema else None
    return found if found is not None and found.kind in {"table", "partitioned table"} else None


def lacks(relation: Relation, columns: Iterable[str]) -> str:
    """The first of the columns that the target does not have yet, or ""."""
    return next((name for name in columns if relation.column(name) is None), "")


def shown_columns(relation: Relation, columns: Sequence[str]) -> tuple[str, ...]:
    """The key by which people find a row again, and the columns that are asked about."""
    keys = next((found.columns for found in relation.constraints if found.kind == "primary key"), ())
    return tuple(dict.fromkeys((*keys[:_MOST_KEYS], *columns)))


def as_text(column: str, *, alias: str = "") -> str:
    """One value as short text under its own name."""
    name = quote_identifier(column)
    source = f"{alias}.{name}" if alias else name
    return f"left(({source})::text, {SHOWN_CHARACTERS}) AS {name}"


def select(relation: Relation, columns: Sequence[str], condition: str, *, only: bool = False) -> str:
    """``SELECT key, columns FROM relation WHERE condition``, values as short text."""
    shown = ", ".join(as_text(name) for name in shown_columns(relation, columns)) or "ctid::text AS ctid"
    return f"SELECT {shown} FROM {source(relation, only=only)} WHERE {condition}"


def source(relation: Relation, *, only: bool = False) -> str:
    """The relation in FROM; ONLY where a constraint does not reach its children."""
    name = relation_sql(relation.name)
    return f"ONLY {name}" if only and relation.kind == "table" else name
