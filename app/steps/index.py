"""CREATE, DROP and REINDEX INDEX CONCURRENTLY: built beside the traffic, and looked at in the catalog before and after.

They wait for old snapshots themselves, outside the lock queue, so they get no lock_timeout: it would leave an INVALID index.
"""

from collections.abc import Generator
from functools import partial
from typing import Any

from psycopg.sql import SQL, Composed, Identifier

from app.run.events import Event, Gauge, UnitReconciled
from app.sql.names import from_range_var
from app.steps.autocommit import finish, limit_session, run_with_intent
from app.steps.errors import IndexInvalidError
from app.steps.politeness import Holder, holders, old_snapshots, wanted_locks
from app.steps.sql_run import LOOK_SECONDS, Moves, SqlRun
from app.steps.units import Unit
from app.target.errors import ConnectionLostError, TargetError

#: What is cleaned up while somebody waits for us to stop may take so long.
CLEAN_UP_MS = 1500

_FACTS = """
           SELECT n.nspname AS schema, c.relname AS name, x.indisvalid AS is_valid,
                  x.indrelid::regclass::text AS relation, p.pid AS builder, a.application_name AS app
             FROM pg_catalog.pg_index AS x
             JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid
             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
             LEFT JOIN pg_catalog.pg_stat_progress_create_index AS p
                    ON p.relid = x.indrelid AND (p.index_relid = x.indexrelid OR p.index_relid = 0)
             LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = p.pid
"""
_MADE = SQL(_FACTS) + SQL("""
            WHERE c.relname = %(name)s
              AND c.relnamespace = (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%(table)s))
""")
_NAMED = SQL(_FACTS) + SQL("WHERE x.indexrelid = pg_catalog.to_regclass(%(index)s)")
_COPIES = SQL(_FACTS) + SQL("""
            WHERE NOT x.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'
              AND (x.indrelid = pg_catalog.to_regclass(%(table)s) OR n.nspname = %(schema)s
                   OR x.indrelid = (SELECT indrelid FROM pg_catalog.pg_index
                                     WHERE indexrelid = pg_catalog.to_regclass(%(index)s)))
""")
_INVALID = SQL(_FACTS) + SQL("""
            WHERE NOT x.indisvalid
              AND (x.indexrelid = pg_catalog.to_regclass(%(index)s) OR x.indrelid = pg_catalog.to_regclass(%(table)s)
                   OR n.nspname = %(schema)s)
""")


def run_index(run: SqlRun, unit: Unit) -> Moves:
    """Bring the unit about; what an earlier attempt left is looked for first."""
    way = {"IndexStmt": _create, "DropStmt": _drop, "ReindexStmt": _reindex}[unit.parts[0].statement.kind]
    yield from way(run, unit)


def _create(run: SqlRun, unit: Unit) -> Moves:
    body = unit.parts[0].statement.body
    asked = {"name": body["idxname"], "table": from_range_var(body["relation"])}
    while True:
        found = run.target.one(_MADE, asked)
        if found is not None and not found["is_valid"]:
            yield from _wait_for_builder(run, found)
            found = run.target.one(_MADE, asked)
        if found is not None and found["is_valid"] and _has_intent(run, unit):
            told = f"index {found['name']} is there and valid"
            yield UnitReconciled(step=run.step, unit=unit.number, outcome="done", found=told)
            yield from finish(run, unit, 0.0)
            return
        if found is not None and not found["is_valid"]:
            told = f"index {found['name']} was INVALID and is dropped"
            yield UnitReconciled(step=run.step, unit=unit.number, outcome="again", found=told)
            _drop_leftover(run, unit, found)
        yield from _wait_for_snapshots(run, unit)
        try:
            done = yield from run_with_intent(run, unit, lock_timeout_ms=0, catch=True)
        except ConnectionLostError:
            raise
        except TargetError:
            _clean_up(run, run.target.one(_MADE, asked))
            raise
        if done:
            _refuse_invalid(run.target.one(_MADE, asked))
            return


def _drop(run: SqlRun, unit: Unit) -> Moves:
    names = unit.parts[0].effect.indexes
    while True:
        found = run.target.one(_NAMED, {"index": names[0]}) if names else None
        if found is None and _has_intent(run, unit):
            yield UnitReconciled(step=run.step, unit=unit.number, outcome="done", found=f"index {names[0]} is gone")
            yield from finish(run, unit, 0.0)
            return
        look = partial(holders, run.target, wanted_locks(unit.parts), older_than_ms=run.policy.lock_timeout_ms)
        yield from run.wait_outside(unit, look, "waits until old transactions on the table end")
        if (yield from run_with_intent(run, unit, lock_timeout_ms=0, catch=True)):
            return


def _reindex(run: SqlRun, unit: Unit) -> Moves:
    body = unit.parts[0].statement.body
    name = from_range_var(body["relation"]) if "relation" in body else None
    is_index = body.get("kind") == "REINDEX_OBJECT_INDEX"
    asked = {"index": name if is_index else None, "table": None if is_index else name, "schema": body.get("name")}
    while True:
        if _has_intent(run, unit):
            for copy in run.target.all(_COPIES, asked):
                yield from _wait_for_builder(run, copy)
                told = f"{copy['name']}, the copy that an earlier attempt left, is dropped"
                yield UnitReconciled(step=run.step, unit=unit.number, outcome="again", found=told)
                _drop_leftover(run, unit, copy)
        yield from _wait_for_snapshots(run, unit)
        if (yield from run_with_intent(run, unit, lock_timeout_ms=0, catch=True)):
            _refuse_invalid(run.target.one(_INVALID, asked))
            return


def _has_intent(run: SqlRun, unit: Unit) -> bool:
    row = run.rows.get(unit.number)
    return row is not None and row.state == "intent"


def _wait_for_snapshots(run: SqlRun, unit: Unit) -> Generator[Event | Gauge, None, None]:
    wanted, older = wanted_locks(unit.parts), run.policy.lock_timeout_ms

    def look() -> list[Holder]:
        return [*old_snapshots(run.target, older_than_ms=older), *holders(run.target, wanted, older_than_ms=older)]

    yield from run.wait_outside(
        unit, look, "waits for old snapshots before it begins: the build would wait for them in the middle"
    )


def _wait_for_builder(run: SqlRun, found: dict[str, Any]) -> Moves:
    """A session that a killed worker left behind may still be building: its work is adopted, not repeated."""
    builder = found["builder"]
    if builder is None:
        return
    sentence = f"pid {builder} ({found['app']}) still builds {found['name']}"
    there = "SELECT 1 AS yes FROM pg_catalog.pg_stat_progress_create_index WHERE pid = %(pid)s"

    def look() -> list[Holder]:
        still = run.target.one(there, {"pid": builder})
        return [Holder(pid=builder, age_s=None, sentence=sentence)] if still else []

    found_again = look()
    while found_again:
        yield Gauge(
            step=run.step,
            phase="a build that an earlier worker began goes on; it is waited for",
            source="pg_stat_progress_create_index",
            pid=builder,
            blocked_by=(sentence,),
        )
        run.context.rest(LOOK_SECONDS)
        found_again = look()


def _drop_leftover(run: SqlRun, unit: Unit, found: dict[str, Any]) -> None:
    run.ledger.record_intent(run.target, run.step, unit.number, unit.digest, attempts=run.attempts(unit))
    limit_session(run, 0)
    run.context.watch(run.target.pid, f"DROP INDEX CONCURRENTLY {found['name']}")
    try:
        run.target.execute(_drop_statement(found))
    finally:
        run.context.watch(None, None)


def _clean_up(run: SqlRun, found: dict[str, Any] | None) -> None:
    """Best effort after a failure: an INVALID index costs every write, and the next attempt would have to drop it anyway."""
    if found is None or found["is_valid"]:
        return
    try:
        limit_session(run, CLEAN_UP_MS, CLEAN_UP_MS)
        run.target.execute(_drop_statement(found))
    except TargetError:
        # the index is found and dropped by the next attempt, and verification names it
        return


def _drop_statement(found: dict[str, Any]) -> Composed:
    return SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(Identifier(found["schema"], found["name"]))


def _refuse_invalid(found: dict[str, Any] | None) -> None:
    if found is not None and not found["is_valid"]:
        raise IndexInvalidError(
            f"PostgreSQL answered that all went well, but index {found['schema']}.{found['name']} is INVALID.",
            hint="Look for duplicates or for a session that is still building it, drop the index, and try the step again.",
        )
