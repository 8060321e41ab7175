"""Walk K: along a unique key, every row exactly once, whatever is done to it.

Bound, change and checkpoint are one statement. The bound is found by counting rows in key order, so holes cost nothing; the
cursor is text with the types in the statement, so no value is rounded on its way through a client.
"""

from collections.abc import Sequence

from psycopg import sql

from app.backfill.change import Change
from app.backfill.keys import Key, KeyColumn
from app.backfill.statements import literal_sql, relation_sql

BATCH = """
WITH headgate_fence AS MATERIALIZED (
    SELECT 1 FROM {schema}.shard
     WHERE job = %(job)s AND no = %(no)s AND epoch = %(epoch)s AND batches = %(batches)s AND state = 'running'{fence}
       FOR NO KEY UPDATE),
headgate_bound AS MATERIALIZED (
    SELECT {columns} FROM ONLY {relation}
     WHERE EXISTS (SELECT 1 FROM headgate_fence) {after_cursor} {up_to_end}
     ORDER BY {ascending} OFFSET %(units)s::bigint - 1 LIMIT 1),
headgate_last AS MATERIALIZED (
    SELECT {names} FROM headgate_bound
    UNION ALL
    (SELECT {columns} FROM ONLY {relation}
      WHERE EXISTS (SELECT 1 FROM headgate_fence) AND NOT EXISTS (SELECT 1 FROM headgate_bound) {after_cursor} {up_to_end}
      ORDER BY {descending} LIMIT 1)),
headgate_changed AS ({change}),
headgate_counted AS MATERIALIZED (
    SELECT (SELECT count(*) FROM headgate_changed) AS changed,
           CASE WHEN EXISTS (SELECT 1 FROM headgate_bound) THEN %(units)s::bigint
                ELSE (SELECT count(*) FROM ONLY {relation}
                       WHERE EXISTS (SELECT 1 FROM headgate_last) {after_cursor} {up_to_end}) END AS seen,
           (SELECT jsonb_build_array({as_text}) FROM headgate_last) AS place)
UPDATE {schema}.shard
   SET cur = coalesce(c.place, cur), rows_done = rows_done + c.changed, rows_seen = rows_seen + c.seen,
       round_rows = round_rows + c.changed, batches = batches + 1, updated_at = clock_timestamp()
  FROM headgate_counted c
 WHERE job = %(job)s AND no = %(no)s AND epoch = %(epoch)s AND batches = %(batches)s AND EXISTS (SELECT 1 FROM headgate_fence)
RETURNING c.changed, c.seen, c.place
"""

SAMPLE = """
WITH headgate_sample AS (
    SELECT {texts}, row_number() OVER (ORDER BY {ascending}) AS place, count(*) OVER () AS rows
      FROM ONLY {relation} TABLESAMPLE SYSTEM ({percent}) WHERE true {in_order})
SELECT {names} FROM headgate_sample
 WHERE place > 1 AND place * {parts} / rows > (place - 1) * {parts} / rows AND place < rows
 ORDER BY place
"""
#: Keeps the planner on the key's index whatever its statistics say; set for the session that walks.
PLANNER_SETTINGS = {"enable_seqscan": "off", "enable_bitmapscan": "off"}


def batch_statement(
    *,
    schema: str,
    change: Change,
    key: Key,
    has_cursor: bool,
    has_end: bool,
    is_sweep: bool,
    fence: sql.Composable,
) -> sql.Composed:
    """Statement K; cursor and end are parameters ``c0``, ``c1``, ... and ``h0``, ``h1``, ... as text."""
    nothing = sql.SQL("")
    after = sql.SQL("AND {} > {}")
    in_order = _in_order(key, None)
    inner = _tuple([_ordered(column, None) for column in key.columns])
    outer = _tuple([_ordered(column, change.row) for column in key.columns])
    cursor = _tuple(_parameters(key, "c"))
    rows = sql.SQL("EXISTS (SELECT 1 FROM headgate_last) {after} AND {key} <= {last}{in_order}").format(
        after=after.format(outer, cursor) if has_cursor else nothing,
        key=outer,
        in_order=_in_order(key, change.row),
        last=_tuple([sql.SQL("(SELECT {} FROM headgate_last)").format(_name(place)) for place in range(len(key.columns))]),
    )
    return sql.SQL(BATCH).format(
        schema=sql.Identifier(schema),
        relation=relation_sql(*change.relation),
        columns=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(sql.Identifier(column.name), _name(place)) for place, column in enumerate(key.columns)
        ),
        names=sql.SQL(", ").join(_name(place) for place in range(len(key.columns))),
        as_text=sql.SQL(", ").join(sql.SQL("{}::text").format(_name(place)) for place in range(len(key.columns))),
        ascending=sql.SQL(", ").join(_ordered(column, None) for column in key.columns),
        descending=sql.SQL(", ").join(sql.SQL("{} DESC").format(_ordered(column, None)) for column in key.columns),
        after_cursor=sql.SQL("{}{}").format(after.format(inner, cursor) if has_cursor else nothing, in_order),
        up_to_end=sql.SQL("AND {} <= {}").format(inner, _tuple(_parameters(key, "h"))) if has_end else nothing,
        change=change.statement(rows, is_sweep=is_sweep),
        fence=fence,
    )


def key_words(prefix: str, values: Sequence[str] | None) -> dict[str, str]:
    """A key as parameters: ``c0``, ``c1``, ..."""
    return {f"{prefix}{place}": value for place, value in enumerate(values or ())}


def last_key_statement(relation: tuple[str, str], key: Key) -> sql.Composed:
    """The greatest key, as text."""
    return sql.SQL("SELECT {texts} FROM ONLY {relation} WHERE true {in_order} ORDER BY {descending} LIMIT 1").format(
        texts=_texts(key),
        relation=relation_sql(*relation),
        in_order=_in_order(key, None),
        descending=sql.SQL(", ").join(sql.SQL("{} DESC").format(_ordered(column, None)) for column in key.columns),
    )


def next_key_statement(relation: tuple[str, str], key: Key, *, has_cursor: bool) -> sql.Composed:
    """The first key behind the cursor, as text."""
    ordered = [_ordered(column, None) for column in key.columns]
    after = sql.SQL("AND {} > {}").format(_tuple(ordered), _tuple(_parameters(key, "c"))) if has_cursor else sql.SQL("")
    return sql.SQL("SELECT {texts} FROM ONLY {relation} WHERE true {after} {in_order} ORDER BY {ascending} LIMIT 1").format(
        texts=_texts(key),
        relation=relation_sql(*relation),
        after=after,
        in_order=_in_order(key, None),
        ascending=sql.SQL(", ").join(ordered),
    )


def sample_statement(relation: tuple[str, str], key: Key, *, percent: float, parts: int) -> sql.Composed:
    """Keys that cut a sample of the table's pages into equal ``parts``, as text and in order."""
    ordered = [_ordered(column, None) for column in key.columns]
    return sql.SQL(SAMPLE).format(
        texts=_texts(key),
        names=sql.SQL(", ").join(_name(place) for place in range(len(key.columns))),
        relation=relation_sql(*relation),
        in_order=_in_order(key, None),
        ascending=sql.SQL(", ").join(ordered),
        percent=sql.Literal(percent),
        parts=sql.Literal(parts),
    )


def without_order(key: Key, row: sql.Identifier) -> sql.Composed:
    """The condition of rows that have no place in the key's order."""
    nulls = [sql.SQL("{}.{} IS NULL").format(row, sql.Identifier(name)) for name in key.names]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(nulls))


def _in_order(key: Key, row: sql.Identifier | None) -> sql.Composable:
    """Leaves out the rows that have no place in the key's order: a row (1, NULL) is greater than (0, 5) and walked by nobody."""
    if not key.has_nulls:
        return sql.SQL("")
    prefix = sql.SQL("") if row is None else sql.SQL("{}.").format(row)
    known = [sql.SQL(" AND {}{} IS NOT NULL").format(prefix, sql.Identifier(name)) for name in key.names]
    return sql.SQL("").join(known)


def _texts(key: Key) -> sql.Composed:
    """The key's values as text, under names of their own: ORDER BY takes an output name before a column."""
    return sql.SQL(", ").join(
        sql.SQL("{}::text AS {}").format(sql.Identifier(name), _name(place)) for place, name in enumerate(key.names)
    )


def _name(place: int) -> sql.Identifier:
    return sql.Identifier(f"headgate_key_{place}")


def _ordered(column: KeyColumn, row: sql.Identifier | None) -> sql.Composable:
    """A key column as the index orders it."""
    name: sql.Composable = sql.Identifier(column.name)
    if row is not None:
        name = sql.SQL("{}.{}").format(row, name)
    return name if column.collation is None else sql.SQL("{} COLLATE {}").format(name, literal_sql(column.collation))


def _parameters(key: Key, prefix: str) -> list[sql.Composable]:
    return [
        sql.SQL("{}::{}").format(sql.Placeholder(f"{prefix}{place}"), literal_sql(column.type))
        for place, column in enumerate(key.columns)
    ]


def _tuple(parts: Sequence[sql.Composable]) -> sql.Composable:
    return parts[0] if len(parts) == 1 else sql.SQL("({})").format(sql.SQL(", ").join(parts))
