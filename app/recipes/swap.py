"""One transaction in which a prepared column takes the place of another: names only, no row is touched."""

from collections.abc import Iterator

from app.catalog.records import Constraint, Sequence
from app.recipes.attached import Attached, aside, bare
from app.recipes.constraints import NAMED_NOT_NULL
from app.sql.inverse.grants import relation_sql
from app.sql.inverse.known import literal
from app.sql.names import quote_identifier as q


def swap(attached: Attached, *, coming: str, leaving: str) -> tuple[str, ...]:
    """The statements that give ``coming`` the column's name and everything that hangs on it; the column is then ``leaving``."""
    site, name = attached.site, attached.column.name
    table = site.table
    return (
        *_let_go(attached),
        *_defaults(attached, coming),
        f"ALTER TABLE {table} RENAME COLUMN {q(name)} TO {q(leaving)}",
        f"ALTER TABLE {table} RENAME COLUMN {q(coming)} TO {q(name)}",
        *_take_over(attached),
    )


def _let_go(attached: Attached) -> Iterator[str]:
    site = attached.site
    for item in (*attached.referring, *attached.rules, *attached.keys):
        yield f"ALTER TABLE {relation_sql(item.relation)} DROP CONSTRAINT {q(item.name)}"
    for index in attached.indexes:
        if index.constraint is None:
            yield f"DROP INDEX {relation_sql(index.name)}"
    if attached.column.not_null and not attached.column.identity:
        yield f"ALTER TABLE {site.table} ALTER COLUMN {q(attached.column.name)} DROP NOT NULL"


def _defaults(attached: Attached, coming: str) -> Iterator[str]:
    site, column = attached.site, attached.column
    old, new = (f"ALTER TABLE {site.table} ALTER COLUMN {q(name)}" for name in (column.name, coming))
    if column.identity:
        yield from _identity(attached, old, new)
    elif column.default is not None:
        if column.owned_sequence:
            yield f"ALTER SEQUENCE {relation_sql(column.owned_sequence)} OWNED BY {site.table}.{q(coming)}"
        yield f"{new} SET DEFAULT {column.default}"
        yield f"{old} DROP DEFAULT"
    if column.comment is not None:
        yield f"COMMENT ON COLUMN {site.table}.{q(coming)} IS {literal(column.comment).strip()}"


def _identity(attached: Attached, old: str, new: str) -> Iterator[str]:
    """A sequence of its own that goes on where the old one stands."""
    column, site = attached.column, attached.site
    sequence = site.schema.sequences[column.owned_sequence or ""]
    was, fresh = relation_sql(sequence.name), site.in_schema(aside(bare(sequence.name)))
    yield f"{new} ADD GENERATED {column.identity.upper()} AS IDENTITY (SEQUENCE NAME {fresh} {_options(sequence)})"
    named = fresh.replace("'", "''")
    yield f"SELECT pg_catalog.setval('{named}'::regclass, last_value, is_called) FROM {was}"  # noqa: S608 - quoted names
    yield f"{old} DROP IDENTITY"
    yield f"{old} DROP NOT NULL"
    yield f"ALTER SEQUENCE {fresh} RENAME TO {q(bare(sequence.name))}"


def _options(sequence: Sequence) -> str:
    cycle = " CYCLE" if sequence.cycle else ""
    return f"INCREMENT BY {sequence.increment} START WITH {sequence.start} CACHE {sequence.cache}{cycle}"


def _take_over(attached: Attached) -> Iterator[str]:
    site = attached.site
    for item in attached.keys:
        word = "PRIMARY KEY" if item.kind == "primary key" else "UNIQUE"
        yield (
            f"ALTER TABLE {site.table} ADD CONSTRAINT {q(item.name)} {word} "
            f"USING INDEX {q(aside(bare(item.index or f'.{item.name}')))}{_deferrable(item)}"
        )
    for index in attached.indexes:
        if index.constraint is None:
            yield f"ALTER INDEX {site.in_schema(aside(bare(index.name)))} RENAME TO {q(bare(index.name))}"
    renamed = [(item.relation, item.name) for item in (*attached.rules, *attached.referring)]
    if site.version >= NAMED_NOT_NULL and attached.not_null_name:
        renamed.append((site.there.name, attached.not_null_name))
    for relation, name in renamed:
        yield f"ALTER TABLE {relation_sql(relation)} RENAME CONSTRAINT {q(aside(name))} TO {q(name)}"


def _deferrable(item: Constraint) -> str:
    words = [word for word in ("DEFERRABLE", "INITIALLY DEFERRED") if f" {word}" in item.definition.replace("NOT DEFERRABLE", "")]
    return "".join(f" {word}" for word in words)
