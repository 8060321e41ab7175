"""ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY: a detachment that was cut off is completed with FINALIZE, never begun twice.

Its second half wants ACCESS EXCLUSIVE on the partition: old transactions are waited for outside the queue, it gives way to
who queues behind it, and FINALIZE goes up the lock ladder like any ALTER TABLE.
"""

from dataclasses import replace
from typing import Any

from app.run.events import UnitReconciled
from app.sql.lock_levels import Mode
from app.sql.names import from_range_var
from app.sql.tree import commands
from app.steps.autocommit import finish, has_intent, run_with_intent
from app.steps.politeness import Holder, holders, old_snapshots
from app.steps.sql_run import Moves, SqlRun
from app.steps.units import Part, Unit

_PARTITION = """
    SELECT i.inhdetachpending AS pending
      FROM pg_catalog.pg_inherits AS i
     WHERE i.inhrelid = pg_catalog.to_regclass(%(child)s) AND i.inhparent = pg_catalog.to_regclass(%(parent)s)
"""


def detach(run: SqlRun, unit: Unit) -> Moves:
    """Detach, or go on with what an earlier attempt left half detached."""
    names = _names(unit.parts[0])
    while True:
        found = run.target.one(_PARTITION, names)
        if found is None and has_intent(run, unit):
            told = f"{names['child']} is no partition any more"
            yield UnitReconciled(step=run.step, unit=unit.number, outcome="done", found=told)
            yield from finish(run, unit, 0.0)
            return
        is_half = _is_half_detached(run, names)
        if is_half:
            told = f"{names['child']} is half detached; FINALIZE completes it"
            yield UnitReconciled(step=run.step, unit=unit.number, outcome="again", found=told)
        yield from run.wait_outside(
            unit, lambda: _in_the_way(run, names), "waits until old transactions on the partitioned table end"
        )
        done = yield from run_with_intent(
            run,
            unit,
            part=_finalize(unit.parts[0], names) if is_half else None,
            lock_timeout_ms=run.lock_timeout_ms(unit) if is_half else 0,
            catch=True,
            is_open=lambda: _is_half_detached(run, names),
        )
        if done:
            return


def _names(part: Part) -> dict[str, str]:
    body = part.statement.body
    child = next(iter(commands(body)))["def"]["PartitionCmd"]["name"]
    return {"parent": from_range_var(body["relation"]), "child": from_range_var(child)}


def _is_half_detached(run: SqlRun, names: dict[str, str]) -> bool:
    found: dict[str, Any] | None = run.target.one(_PARTITION, names)
    return found is not None and bool(found["pending"])


def _in_the_way(run: SqlRun, names: dict[str, str]) -> list[Holder]:
    """It waits in its middle for everybody who uses the partitioned table, and FINALIZE for every snapshot."""
    older = run.policy.lock_timeout_ms
    wanted: list[tuple[str, Mode]] = [(names["child"], "ACCESS EXCLUSIVE"), (names["parent"], "ACCESS EXCLUSIVE")]
    return [*holders(run.target, wanted, older_than_ms=older), *old_snapshots(run.target, older_than_ms=older)]


def _finalize(part: Part, names: dict[str, str]) -> Part:
    text = f"ALTER TABLE {names['parent']} DETACH PARTITION {names['child']} FINALIZE"
    return replace(part, statement=replace(part.statement, text=text))
