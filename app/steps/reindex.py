"""REINDEX ... CONCURRENTLY of an index, a table, a schema or the database: the copies that a cut attempt left are dropped first.

PostgreSQL leaves an INVALID copy of each index it was working on (``_ccnew``, or ``_ccold`` once it was swapped), on
partitions and TOAST tables too. Doing the rest again does no harm.
"""

from psycopg.sql import SQL

from app.run.events import UnitReconciled
from app.sql.names import from_range_var
from app.steps.autocommit import run_with_intent
from app.steps.errors import IndexInvalidError
from app.steps.index import FACTS, drop_leftover, wait_for_builder, wait_for_snapshots
from app.steps.sql_run import Moves, SqlRun
from app.steps.units import Unit

#: Every table whose indexes the statement rebuilds: with partitions, and with the TOAST tables behind them.
_IN_SCOPE = """
            WHERE NOT x.indisvalid AND x.indrelid IN (
                  WITH tables AS (
                      SELECT i.indrelid AS oid
                        FROM pg_catalog.pg_index AS i
                       WHERE i.indexrelid = pg_catalog.to_regclass(%(index)s)
                          OR i.indexrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass(%(index)s)))
                      UNION SELECT pg_catalog.to_regclass(%(table)s)::oid
                      UNION SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass(%(table)s))
                      UNION SELECT k.oid FROM pg_catalog.pg_class AS k JOIN pg_catalog.pg_namespace AS s ON s.oid = k.relnamespace
                             WHERE k.relkind IN ('r', 'm') AND (%(everything)s OR s.nspname = %(schema)s))
                  SELECT oid FROM tables
                  UNION SELECT k.reltoastrelid FROM tables JOIN pg_catalog.pg_class AS k ON k.oid = tables.oid)
"""
_COPIES = SQL(FACTS) + SQL(_IN_SCOPE) + SQL(" AND c.relname ~ '_cc(new|old)[0-9]*$' ORDER BY n.nspname, c.relname")
_INVALID = SQL(FACTS) + SQL(_IN_SCOPE)


def reindex(run: SqlRun, unit: Unit) -> Moves:
    """Rebuild; an attempt that was cut off is cleaned up and done again, and what stays INVALID is no success."""
    asked = _asked(unit)
    while True:
        if unit.number in run.rows:
            for copy in run.target.all(_COPIES, asked):
                yield from wait_for_builder(run, copy)
                told = f"{copy['schema']}.{copy['name']}, the copy that an earlier attempt left, is dropped"
                yield UnitReconciled(step=run.step, unit=unit.number, outcome="again", found=told)
                drop_leftover(run, unit, copy)
        yield from wait_for_snapshots(run, unit)
        if (yield from run_with_intent(run, unit, lock_timeout_ms=0, catch=True, confirm=lambda: _refuse_invalid(run, asked))):
            return


def _asked(unit: Unit) -> dict[str, str | bool | None]:
    body = unit.parts[0].statement.body
    name = from_range_var(body["relation"]) if "relation" in body else None
    kind = body.get("kind")
    return {
        "index": name if kind == "REINDEX_OBJECT_INDEX" else None,
        "table": name if kind == "REINDEX_OBJECT_TABLE" else None,
        "schema": body.get("name") if kind == "REINDEX_OBJECT_SCHEMA" else None,
        "everything": kind == "REINDEX_OBJECT_DATABASE",
    }


def _refuse_invalid(run: SqlRun, asked: dict[str, str | bool | None]) -> None:
    found = run.target.one(_INVALID, asked)
    if found is not None:
        name = f"{found['schema']}.{found['name']}"
        raise IndexInvalidError(
            f"PostgreSQL answered that all went well, but index {name} is INVALID.",
            hint=f"Was it INVALID before? Drop it with DROP INDEX CONCURRENTLY {name}, or rebuild it by name, then try again.",
        )
