"""Which unique key a walk follows: best one without NULLs, and never in an order that differs from the index's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.backfill.expressions import BackfillRefusedError
from app.backfill.table import Table, TableIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyColumn:
    """One column of the key, with what its values are cast to and ordered by."""

    name: str
    type: str
    #: quoted collation where the index has another one than the column
    collation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A unique key that can be walked."""

    index: str
    columns: tuple[KeyColumn, ...]
    #: True where a column can be NULL: rows with such a key have no place in its order and are done by themselves
    has_nulls: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names in order."""
        return tuple(column.name for column in self.columns)

    def as_json(self) -> dict[str, Any]:
        """JSON values, kept with the job."""
        columns = [[column.name, column.type, column.collation] for column in self.columns]
        return {"index": self.index, "columns": columns, "has_nulls": self.has_nulls}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Key":
        """The key that ``as_json`` wrote."""
        columns = tuple(KeyColumn(name=name, type=kind, collation=collation) for name, kind, collation in content["columns"])
        return cls(index=content["index"], columns=columns, has_nulls=content.get("has_nulls", False))


def why_not(table: Table, index: TableIndex) -> str | None:
    """Why an index can't be walked, in words; None where it can."""
    if not index.is_btree or not index.is_unique_key:
        return "it is not a plain, valid, immediate unique btree index on columns"
    if len(set(index.descending[: len(index.key_columns)])) > 1:
        return "its columns run in different directions"
    stale = [name for name in index.key_columns if (column := table.column(name)) and column.is_order_stale]
    if stale:
        return f"the collation of {', '.join(stale)} has another version than its indexes: REINDEX, then REFRESH VERSION"
    return None


def choose_key(table: Table, wanted: tuple[str, ...] | None) -> Key | None:
    """The key to walk by: the wanted one, else the primary key, else the narrowest without NULLs; None where there is none.

    Raises BackfillRefusedError where the wanted key does not fit.
    """
    if wanted is not None:
        return _wanted_key(table, wanted)
    usable = [index for index in table.indexes if why_not(table, index) is None]
    if not usable:
        return None
    return _key(
        table, min(usable, key=lambda index: (not index.is_primary, _has_nulls(table, index), _width(table, index), index.name))
    )


def _wanted_key(table: Table, wanted: tuple[str, ...]) -> Key:
    found = [index for index in table.indexes if index.key_columns == wanted]
    for index in found:
        if why_not(table, index) is None:
            return _key(table, index)
    reason = why_not(table, found[0]) if found else "no index has exactly these columns"
    raise BackfillRefusedError(
        f"The key ({', '.join(wanted)}) of {table.qualified} can't be walked: {reason}.",
        hint="Name the columns of a unique index, in the index's order, or leave the key out.",
    )


def _key(table: Table, index: TableIndex) -> Key:
    columns = []
    for name, collation in zip(index.key_columns, index.collations, strict=True):
        column = table.column(name)
        columns.append(KeyColumn(name=name, type=column.type if column else "text", collation=collation))
    return Key(index=index.name, columns=tuple(columns), has_nulls=_has_nulls(table, index))


def _has_nulls(table: Table, index: TableIndex) -> bool:
    columns = [table.column(name) for name in index.key_columns]
    return not all(column is not None and column.not_null for column in columns)


def _width(table: Table, index: TableIndex) -> int:
    return sum(column.width for name in index.key_columns if (column := table.column(name)))
