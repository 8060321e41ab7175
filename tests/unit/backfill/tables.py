"""Tables for tests that need no server."""

from typing import Any

from app.backfill.table import Table, TableColumn, TableIndex, TableTrigger


def column(name: str, kind: str = "text", **words: Any) -> TableColumn:
    return TableColumn(
        **{
            "name": name,
            "type": kind,
            "not_null": False,
            "generated": "",
            "identity": "",
            "width": 8,
            "has_default": False,
            "collation": None,
            "fuzzy": False,
            "is_order_stale": False,
            **words,
        }
    )


def index(name: str, *columns: str, **words: Any) -> TableIndex:
    base: dict[str, Any] = {"is_primary": False, "is_btree": True, "is_unique_key": True, "is_summary": False}
    base |= {"descending": (False,) * len(columns), "collations": (None,) * len(columns), "depends_on": frozenset(columns)}
    return TableIndex(**{"name": name, "key_columns": columns, **base, **words})


def trigger(name: str, *events: str, is_before: bool = True) -> TableTrigger:
    return TableTrigger(name=name, is_before=is_before, events=frozenset(events))


def table(*, columns: tuple[TableColumn, ...] = (), indexes: tuple[TableIndex, ...] = (), **words: Any) -> Table:
    base: dict[str, Any] = {"oid": 1, "schema": "public", "name": "users", "kind": "table", "method": "heap", "reltuples": 1000}
    base |= {"filenode": 5, "pages": 20, "hides_rows": False, "full_identity": False, "rules": (), "triggers": ()}
    base |= {"partition_columns": frozenset()}
    standard = (column("id", "bigint", not_null=True), column("role"), column("n", "integer"), column("state", not_null=True))
    return Table(**{**base, "columns": columns or standard, "indexes": indexes, **words})
