"""Foreign keys that point at a table whose rows are deleted: what goes with them, and which of them make each delete slow."""

from collections.abc import Sequence
from typing import Any

import psycopg

from app.backfill.table import Table

REFERENCES = """
SELECT DISTINCT ON (c.conrelid, c.conkey) c.conrelid::regclass::text AS child, c.conname, c.confdeltype::text AS on_delete,
       EXISTS (SELECT 1 FROM pg_catalog.pg_index i
                WHERE i.indrelid = c.conrelid AND i.indisvalid AND i.indpred IS NULL
                  AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey) AS is_indexed
  FROM pg_catalog.pg_constraint c
 WHERE c.contype = 'f' AND c.confrelid = ANY (%(oids)s::bigint[]::oid[])
 ORDER BY c.conrelid, c.conkey, c.conname
"""
_WITH_IT = {"c": "are deleted with them", "n": "lose the reference (SET NULL)", "d": "lose the reference (SET DEFAULT)"}


def read_references(connection: psycopg.Connection[Any], root: Table, leaves: Sequence[Table]) -> tuple[str, ...]:
    """What a reviewer should know, one sentence a foreign key."""
    notes = []
    oids = [root.oid, *(leaf.oid for leaf in leaves)]
    for child, name, on_delete, is_indexed in connection.execute(REFERENCES, {"oids": oids}):
        if on_delete in _WITH_IT:
            notes.append(f"rows of {child} {_WITH_IT[on_delete]} ({name})")
        if not is_indexed:
            notes.append(f"no index of {child} begins with the columns of {name}: each deleted row reads the whole of it")
    return tuple(notes)
