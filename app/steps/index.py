"""CREATE and DROP INDEX CONCURRENTLY: built beside the traffic, and looked at in the catalog before and after.

They wait for old snapshots themselves, outside the lock queue, so they get no lock_timeout: it would leave an INVALID index.
"""

from functools import partial
from typing import Any

from psycopg.sql import SQL, Composed, Identifier

from app.run.events import Gauge, UnitReconciled
from app.sql.names import from_range_var
from app.steps.autocommit import finish, has_intent, limit_session, run_with_intent
from app.steps.errors import BlockedTooLongError, IndexInvalidError
from app.steps.politeness import Holder, holders, old_snapshots, wanted_locks
from app.steps.sql_run import LOOK_SECONDS, Moves, SqlRun
from app.steps.units import Part, Unit
from app.target.errors import ConnectionLostError, TargetError

#: What is cleaned up while somebody waits for us to stop may take so long.
CLEAN_UP_MS = 1500

FACTS = """
           SELECT n.nspname AS schema, c.relname AS name, x.indisvalid AS is_valid,
                  x.indrelid::regclass::text AS relation, p.pid AS builder, a.application_name AS app
             FROM pg_catalog.pg_index AS x
             JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid
             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
             LEFT JOIN pg_catalog.pg_stat_progress_create_index AS p
                    ON p.relid = x.indrelid AND (p.index_relid = x.indexrelid OR p.index_relid = 0)
             LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = p.pid
"""
_MADE = SQL(FACTS) + SQL("""
            WHERE c.relname = %(name)s
              AND c.relnamespace = (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%(table)s))
""")
_NAMED = SQL(FACTS) + SQL("WHERE x.indexrelid = pg_catalog.to_regclass(%(index)s)")
#: A build that has not come to make its index yet is known by its session's name alone.
_BEGUN = """
    SELECT p.pid AS builder, a.application_name AS app
      FROM pg_catalog.pg_stat_progress_create_index AS p
      JOIN pg_catalog.pg_stat_activity AS a ON a.pid = p.pid
     WHERE p.relid = pg_catalog.to_regclass(%(table)s) AND a.pid <> pg_catalog.pg_backend_pid()
       AND (a.application_name = %(run)s OR starts_with(a.application_name, %(run)s || ' '))
"""


def create_index(run: SqlRun, unit: Unit) -> Moves:
    """CREATE INDEX CONCURRENTLY: what an earlier attempt left is looked for first, and what is INVALID is no success."""
    asked = _asked(unit.parts[0])
    while True:
        if has_intent(run, unit):
            yield from _wait_for_begun(run, asked)
        found = run.target.one(_MADE, asked)
        if found is not None and not found["is_valid"]:
            yield from wait_for_builder(run, found)
            found = run.target.one(_MADE, asked)
        if found is not None and found["is_valid"] and has_intent(run, unit):
            told = f"index {found['name']} is there and valid"
            yield UnitReconciled(step=run.step, unit=unit.number, outcome="done", found=told)
            yield from finish(run, unit, 0.0)
            return
        if found is not None and not found["is_valid"]:
            told = f"index {found['name']} was INVALID and is dropped"
            yield UnitReconciled(step=run.step, unit=unit.number, outcome="again", found=told)
            drop_leftover(run, unit, found)
        yield from wait_for_snapshots(run, unit)
        try:
            confirm = partial(refuse_invalid, run, unit.parts[0])
            done = yield from run_with_intent(run, unit, lock_timeout_ms=0, catch=True, confirm=confirm)
        except ConnectionLostError:
            raise
        except (TargetError, BlockedTooLongError):
            _clean_up(run, run.target.one(_MADE, asked))
            raise
        if done:
            return


def drop_index(run: SqlRun, unit: Unit) -> Moves:
    """DROP INDEX CONCURRENTLY: an index that is gone after our intent was dropped by us."""
    names = unit.parts[0].effect.indexes
    while True:
        found = run.target.one(_NAMED, {"index": names[0]}) if names else None
        if found is None and has_intent(run, unit):
            yield UnitReconciled(step=run.step, unit=unit.number, outcome="done", found=f"index {names[0]} is gone")
            yield from finish(run, unit, 0.0)
            return
        look = partial(holders, run.target, wanted_locks(unit.parts), older_than_ms=run.policy.lock_timeout_ms)
        yield from run.wait_outside(unit, look, "waits until old transactions on the table end")
        if (yield from run_with_intent(run, unit, lock_timeout_ms=0, catch=True)):
            return


def refuse_invalid(run: SqlRun, part: Part) -> None:
    """PostgreSQL calls IF NOT EXISTS over an INVALID index a success; here it is none.

    Raises IndexInvalidError.
    """
    found = run.target.one(_MADE, _asked(part))
    if found is not None and not found["is_valid"]:
        name = f"{found['schema']}.{found['name']}"
        raise IndexInvalidError(
            f"PostgreSQL answered that all went well, but index {name} is INVALID.",
            hint=f"See that no session is building it, then run DROP INDEX CONCURRENTLY {name} and try the step again.",
        )


def wait_for_snapshots(run: SqlRun, unit: Unit) -> Moves:
    """Wait outside the lock queue for whoever the build would wait for in its middle: our own backups among them."""
    wanted, older = wanted_locks(unit.parts), run.policy.lock_timeout_ms

    def look() -> list[Holder]:
        return [*old_snapshots(run.target, older_than_ms=older), *holders(run.target, wanted, older_than_ms=older)]

    yield from run.wait_outside(
        unit, look, "waits for old snapshots before it begins: the build would wait for them in the middle"
    )


def wait_for_builder(run: SqlRun, found: dict[str, Any]) -> Moves:
    """A session that a killed worker left behind may still be building: its work is adopted, not repeated."""
    builder = found["builder"]
    if builder is None:
        return
    sentence = f"pid {builder} ({found['app']}) still builds {found['name']}"
    there = "SELECT 1 AS yes FROM pg_catalog.pg_stat_progress_create_index WHERE pid = %(pid)s"
    while run.target.one(there, {"pid": builder}):
        yield Gauge(
            step=run.step,
            phase="a build that an earlier worker began goes on; it is waited for",
            source="pg_stat_progress_create_index",
            pid=builder,
            blocked_by=(sentence,),
        )
        run.context.rest(LOOK_SECONDS)


def _wait_for_begun(run: SqlRun, asked: dict[str, str]) -> Moves:
    values = {"table": asked["table"], "run": f"headgate run {run.context.run_label}"}
    for begun in run.target.all(_BEGUN, values):
        yield from wait_for_builder(run, {**begun, "name": asked["name"]})


def drop_leftover(run: SqlRun, unit: Unit, found: dict[str, Any]) -> None:
    """Drop what an earlier attempt left INVALID, under an intent of ours."""
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


def _asked(part: Part) -> dict[str, str]:
    body = part.statement.body
    return {"name": body["idxname"], "table": from_range_var(body["relation"])}


def _drop_statement(found: dict[str, Any]) -> Composed:
    return SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(Identifier(found["schema"], found["name"]))
