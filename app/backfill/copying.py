"""A copy into another table, prepared: which columns go where, and by which key a row that was copied is known again."""

from typing import Any

import psycopg

from app.backfill.change import Copy
from app.backfill.definition import BackfillDefinition
from app.backfill.expressions import BackfillRefusedError
from app.backfill.refusals import refuse_kind, refuse_rules, refuse_unwritable
from app.backfill.table import Table, TableColumn, TableIndex, find_table, read_leaves, read_table
from app.sql.names import quote_identifier
from app.sql.tree import strings

_WHOLE_NUMBERS = frozenset({"smallint", "integer", "bigint"})


def prepare_copy(
    connection: psycopg.Connection[Any], definition: BackfillDefinition, root: Table
) -> tuple[Copy, tuple[str, ...]]:
    """The copy of rows of ``root``, and what a reviewer should know.

    Raises BackfillRefusedError.
    """
    into = read_table(connection, find_table(connection, str(definition.into)))
    refuse_kind(into, "rows are copied into tables")
    refuse_rules(into, "insert")
    family = {leaf.oid for leaf in read_leaves(connection, root)} | {root.oid}
    if into.oid in family or root.oid in {leaf.oid for leaf in read_leaves(connection, into)}:
        raise BackfillRefusedError(
            f"{root.qualified} can't be copied into itself.", hint="Name another table in `into`; for new values use `set`."
        )
    columns, list_text, warnings = _columns(definition, root, into)
    refuse_unwritable(into, columns)
    _refuse_unfilled(into, columns)
    match = _match(definition, root, into, columns)
    if not match:
        warnings.append(
            f"{into.qualified} has no unique key that comes from a key of {root.qualified}: rows that are added behind the walk "
            "are not looked for again"
        )
    triggers = [trigger.name for trigger in into.triggers_on("insert")]
    if triggers:
        warnings.append(f"triggers of {into.qualified} fire for every row: {', '.join(triggers)}")
    return (
        Copy(
            schema=into.schema,
            name=into.name,
            columns=columns,
            list_text=list_text,
            match=match,
            locks_rows=bool(root.triggers_on("delete")),
        ),
        tuple(warnings),
    )


def _columns(definition: BackfillDefinition, root: Table, into: Table) -> tuple[tuple[str, ...], str, list[str]]:
    """The columns that are filled, what they are filled with, and what is left out."""
    if definition.expressions.set_text:
        return definition.expressions.assigned, definition.expressions.set_text, []
    both = tuple(column.name for column in root.columns if (there := into.column(column.name)) and not there.generated)
    if not both:
        raise BackfillRefusedError(
            f"{root.qualified} and {into.qualified} have no column of the same name.", hint="Say what goes where in `columns`."
        )
    left_out = [column.name for column in root.columns if into.column(column.name) is None]
    warnings = [f"columns that {into.qualified} does not have are left out: {', '.join(left_out)}"] if left_out else []
    return both, ", ".join(map(quote_identifier, both)), warnings


def _refuse_unfilled(into: Table, columns: tuple[str, ...]) -> None:
    unfilled = [
        column.name
        for column in into.columns
        if column.not_null and not column.has_default and not column.generated and column.name not in columns
    ]
    if unfilled:
        raise BackfillRefusedError(
            f"{', '.join(unfilled)} of {into.qualified} must not be NULL and would not be filled.",
            hint="Add it to `columns`, or give it a default.",
        )


def _match(definition: BackfillDefinition, root: Table, into: Table, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Pairs (column there, column here) of a key that is unique on both sides; the primary key first."""
    sources = {name: _source(definition, name) for name in columns}
    keys_here = [set(index.key_columns) for index in root.indexes if _is_key(root, index)]
    for index in into.indexes:
        pairs = tuple((name, sources.get(name) or "") for name in index.key_columns)
        here = {source for _, source in pairs}
        if not _is_key(into, index) or not any(key <= here for key in keys_here):
            continue
        if all(_are_alike(into.column(there), root.column(source)) for there, source in pairs):
            return pairs
    return ()


def _source(definition: BackfillDefinition, name: str) -> str | None:
    """The column that goes unchanged into ``name``."""
    if not definition.expressions.set_text:
        return name
    fields = definition.expressions.values[name].get("ColumnRef", {}).get("fields")
    return strings(fields)[-1] if fields else None


def _is_key(table: Table, index: TableIndex) -> bool:
    columns = [table.column(name) for name in index.key_columns]
    return index.is_unique_key and all(column is not None and column.not_null for column in columns)


def _are_alike(there: TableColumn | None, here: TableColumn | None) -> bool:
    """True where the two can be compared, and equal values here are equal values there."""
    if there is None or here is None or not here.not_null:
        return False
    is_same_type = there.type == here.type or {there.type, here.type} <= _WHOLE_NUMBERS
    return is_same_type and there.collation == here.collation
