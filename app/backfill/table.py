"""What the walk must know of a table, read from the catalog: kind, pages, columns, indexes, triggers, leaves."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from app.backfill.expressions import BackfillRefusedError
from app.sql.names import quote_identifier, quote_qualified

TABLE = """
SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, coalesce(a.amname, '') AS method,
       c.reltuples::bigint AS reltuples, pg_relation_filenode(c.oid)::bigint AS filenode,
       CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) ELSE 0 END / current_setting('block_size')::bigint AS pages,
       row_security_active(c.oid) AS hides_rows, c.relreplident = 'f' AS full_identity,
       ARRAY(SELECT CASE r.ev_type WHEN '2' THEN 'update' WHEN '3' THEN 'insert' ELSE 'delete' END || ' ' || r.rulename
               FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type <> '1') AS rules,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_partitioned_table p
               JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs)
              WHERE p.partrelid = c.oid) AS partition_columns
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
 WHERE c.oid = %(oid)s
"""

COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
       a.attgenerated::text AS generated, a.attidentity::text AS identity, coalesce(s.avg_width, 0) AS width,
       a.atthasdef OR a.attidentity <> '' AS has_default,
       CASE WHEN k.oid IS NOT NULL THEN k.collnamespace::regnamespace || '.' || quote_ident(k.collname) END AS collation,
       coalesce(NOT k.collisdeterministic, false) AS fuzzy,
       coalesce(k.collversion <> pg_collation_actual_version(k.oid), false) AS is_order_stale
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_collation k ON k.oid = a.attcollation
  LEFT JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
   AND NOT s.inherited
 WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum
"""

# A summarizing index (BRIN) does not keep an update from being HOT from PostgreSQL 16 on.
INDEXES = """
SELECT x.relname AS name, i.indisprimary AS is_primary, m.amname = 'btree' AS is_btree,
       i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AS is_unique_key,
       m.amname = 'brin' AND current_setting('server_version_num')::int >= 160000 AS is_summary,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
              WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS key_columns,
       ARRAY(SELECT (o & 1) = 1 FROM unnest(i.indoption::int2[]) AS o) AS descending,
       ARRAY(SELECT CASE WHEN k.oid IS NULL OR a.attcollation = k.oid THEN NULL
                         ELSE quote_ident(kn.nspname) || '.' || quote_ident(k.collname) END
               FROM unnest(i.indcollation::oid[], i.indkey::int2[]) WITH ORDINALITY AS c (collation_oid, attnum, place)
               LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = c.attnum
               LEFT JOIN pg_catalog.pg_collation k ON k.oid = c.collation_oid
               LEFT JOIN pg_catalog.pg_namespace kn ON kn.oid = k.collnamespace
              WHERE c.place <= i.indnkeyatts ORDER BY c.place) AS collations,
       ARRAY(SELECT DISTINCT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = i.indrelid AND a.attnum > 0
                AND (a.attnum = ANY (i.indkey::int2[]) OR EXISTS (
                     SELECT 1 FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
                        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = i.indrelid
                        AND d.refobjsubid = a.attnum))) AS depends_on
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  JOIN pg_catalog.pg_am m ON m.oid = x.relam
 WHERE i.indrelid = %(oid)s
 ORDER BY i.indisprimary DESC, x.relname
"""

# tgtype: 1 row, 2 before, 4 insert, 8 delete, 16 update
TRIGGERS = """
SELECT t.tgname AS name, (t.tgtype & 2) <> 0 AS is_before,
       array_remove(ARRAY[CASE WHEN (t.tgtype & 4) <> 0 THEN 'insert' END, CASE WHEN (t.tgtype & 8) <> 0 THEN 'delete' END,
                          CASE WHEN (t.tgtype & 16) <> 0 THEN 'update' END], NULL) AS events
  FROM pg_catalog.pg_trigger t
 WHERE t.tgrelid = %(oid)s AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND (t.tgtype & 1) = 1
 ORDER BY t.tgname
"""

LEAVES = """
WITH RECURSIVE tree AS (
    SELECT %(oid)s::oid AS oid, 0 AS depth
    UNION ALL
    SELECT i.inhrelid, tree.depth + 1 FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid
)
SELECT DISTINCT tree.oid::bigint AS oid, n.nspname || '.' || c.relname AS name
  FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind <> 'p'
 ORDER BY 2
"""

KINDS = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
    "S": "sequence",
    "i": "index",
    "I": "index",
    "c": "composite type",
    "t": "TOAST table",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """One column."""

    name: str
    type: str
    not_null: bool
    generated: str
    identity: str
    width: int
    has_default: bool
    #: quoted, for types that have one
    collation: str | None
    #: True where two different values can be equal (a nondeterministic collation)
    fuzzy: bool
    #: True where the collation's library changed since the indexes were built: their order can't be trusted
    is_order_stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TableIndex:
    """One index, as far as a walk or a HOT update cares."""

    name: str
    is_primary: bool
    is_btree: bool
    is_unique_key: bool
    is_summary: bool
    key_columns: tuple[str, ...]
    descending: tuple[bool, ...]
    #: quoted collation where it is not the column's own, else None
    collations: tuple[str | None, ...]
    depends_on: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableTrigger:
    """One row trigger that is enabled."""

    name: str
    is_before: bool
    #: insert, update, delete
    events: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with storage, or the root of several."""

    oid: int
    schema: str
    name: str
    #: in words: ``table``, ``partitioned table``, ``view``, ...
    kind: str
    method: str
    reltuples: int
    filenode: int
    pages: int
    hides_rows: bool
    full_identity: bool
    #: ``insert``, ``update`` or ``delete``, and the rule's name
    rules: tuple[tuple[str, str], ...]
    partition_columns: frozenset[str]
    columns: tuple[TableColumn, ...]
    indexes: tuple[TableIndex, ...]
    triggers: tuple[TableTrigger, ...]

    @property
    def qualified(self) -> str:
        """``public.users``, quoted where PostgreSQL needs it."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"

    def column(self, name: str) -> TableColumn | None:
        """The column of that name, if there is one."""
        return next((column for column in self.columns if column.name == name), None)

    def rules_on(self, event: str) -> tuple[str, ...]:
        """Names of the rules that rewrite such a statement."""
        return tuple(name for wanted, name in self.rules if wanted == event)

    def triggers_on(self, event: str) -> tuple[TableTrigger, ...]:
        """The row triggers that such a statement fires."""
        return tuple(trigger for trigger in self.triggers if event in trigger.events)

    def has_before_trigger(self, event: str) -> bool:
        """True where a trigger may change, or leave out, what such a statement writes."""
        return any(trigger.is_before for trigger in self.triggers_on(event))


def find_table(connection: psycopg.Connection[Any], name: str) -> int:
    """The OID of the relation of that name, looked up as PostgreSQL would.

    Raises BackfillRefusedError where there is none.
    """
    row = connection.execute("SELECT to_regclass(%(name)s)::oid::bigint", {"name": quote_qualified(name)}).fetchone()
    if row is None or row[0] is None:
        raise BackfillRefusedError(
            f"There is no table {name} on the target.", sqlstate="42P01", hint="Write schema and name: public.users."
        )
    return int(row[0])


def read_table(connection: psycopg.Connection[Any], oid: int) -> Table:
    """The facts about one relation."""
    with connection.cursor(row_factory=dict_row) as cursor:
        facts = cursor.execute(TABLE, {"oid": oid}).fetchone() or {}
        columns = tuple(TableColumn(**row) for row in cursor.execute(COLUMNS, {"oid": oid}))
        indexes = tuple(_index(row) for row in cursor.execute(INDEXES, {"oid": oid}))
        triggers = tuple(
            TableTrigger(name=row["name"], is_before=row["is_before"], events=frozenset(row["events"]))
            for row in cursor.execute(TRIGGERS, {"oid": oid})
        )
    facts["kind"] = KINDS.get(facts["kind"], facts["kind"])
    facts["rules"] = tuple((event, name) for event, _, name in (rule.partition(" ") for rule in facts["rules"]))
    facts["partition_columns"] = frozenset(facts["partition_columns"])
    facts["filenode"] = facts["filenode"] or 0
    return Table(
        oid=oid,
        columns=columns,
        indexes=indexes,
        triggers=triggers,
        **facts,
    )


def _index(row: dict[str, Any]) -> TableIndex:
    lists = ("key_columns", "descending", "collations")
    return TableIndex(**{**row, **{name: tuple(row[name]) for name in lists}, "depends_on": frozenset(row["depends_on"])})


def read_leaves(connection: psycopg.Connection[Any], root: Table) -> tuple[Table, ...]:
    """The tables with storage that an UPDATE of ``root`` would change: itself, its partitions, its children."""
    rows = connection.execute(LEAVES, {"oid": root.oid}).fetchall()
    return tuple(root if int(row[0]) == root.oid else read_table(connection, int(row[0])) for row in rows)
