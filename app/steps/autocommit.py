"""A single statement outside transactions: intent, the statement, done. The catalog tells what an intent without a done means."""

from collections.abc import Generator

from app.run.events import Event, Gauge, UnitCommitted, UnitReconciled
from app.sql.lock_levels import CONFLICTS
from app.sql.names import from_range_var
from app.sql.tree import commands
from app.steps.politeness import holders, wanted_locks
from app.steps.sql_run import Moves, SqlRun
from app.steps.units import Unit
from app.target.errors import TargetError

_PARTITION = """
    SELECT i.inhdetachpending AS pending
      FROM pg_catalog.pg_inherits AS i
     WHERE i.inhrelid = pg_catalog.to_regclass(%(child)s) AND i.inhparent = pg_catalog.to_regclass(%(parent)s)
"""

_LIMITS = """
    SELECT pg_catalog.set_config('lock_timeout', %(lock)s, false),
           pg_catalog.set_config('statement_timeout', %(all)s, false)
"""


def run_repeatable(run: SqlRun, unit: Unit) -> Moves:
    """VACUUM, CLUSTER, REINDEX: doing it again after a crash does no harm, so that is what an open intent means."""
    row = run.rows.get(unit.number)
    if row is not None and row.state == "intent" and run.context.is_recovery:
        found = "the statement had begun; it may be repeated without harm"
        yield UnitReconciled(step=run.step, unit=unit.number, outcome="again", found=found)
    yield from run_with_intent(run, unit, lock_timeout_ms=run.policy.lock_timeout_ms)


def run_detach(run: SqlRun, unit: Unit) -> Moves:
    """ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY: a detachment that was cut off is finished, never begun twice."""
    body = unit.parts[0].statement.body
    parent = from_range_var(body["relation"])
    child = from_range_var(next(iter(commands(body)))["def"]["PartitionCmd"]["name"])
    row = run.rows.get(unit.number)
    while True:
        found = run.target.one(_PARTITION, {"child": child, "parent": parent})
        if row is not None and row.state == "intent" and found is None:
            yield UnitReconciled(step=run.step, unit=unit.number, outcome="done", found=f"{child} is no partition any more")
            yield from finish(run, unit, 0.0)
            return
        if found is not None and found["pending"]:
            told = f"{child} is half detached; FINALIZE completes it"
            yield UnitReconciled(step=run.step, unit=unit.number, outcome="again", found=told)
            run.ledger.record_intent(run.target, run.step, unit.number, unit.digest, attempts=run.attempts(unit))
            run.target.send(f"ALTER TABLE {parent} DETACH PARTITION {child} FINALIZE")
            yield from finish(run, unit, 0.0)
            return
        done = yield from run_with_intent(run, unit, lock_timeout_ms=0, catch=True)
        if done:
            return
        run.rows.update(run.ledger.units(run.target, run.step))
        row = run.rows.get(unit.number)


def run_with_intent(
    run: SqlRun, unit: Unit, *, lock_timeout_ms: int, catch: bool = False
) -> Generator[Event | Gauge, None, bool]:
    """Intent, statement, done, in as many attempts as the policy allows.

    ``catch``: after a failed attempt that deserves another, return False so that the caller looks at the catalog first.
    """
    while True:
        run.ledger.record_intent(run.target, run.step, unit.number, unit.digest, attempts=run.attempts(unit))
        run.rows.update(run.ledger.units(run.target, run.step))
        limit_session(run, lock_timeout_ms)
        started = run.context.clock.monotonic()
        try:
            yield from run.send(unit.parts[0], gives_way=queues_readers(unit))
        except TargetError as error:
            waited = (run.context.clock.monotonic() - started) * 1000
            yield from run.recover_from(error, unit, waited, lambda: holders(run.target, wanted_locks(unit.parts)))
            if catch:
                return False
            continue
        yield from finish(run, unit, (run.context.clock.monotonic() - started) * 1000)
        return True


def finish(run: SqlRun, unit: Unit, took_ms: float) -> Moves:
    """Write the done row, behind the fence."""
    with run.target.transaction():
        run.ledger.assert_fence(run.target)
        run.mark_done(unit, took_ms)
    yield UnitCommitted(step=run.step, unit=unit.number, of=len(run.units), duration_ms=took_ms)


def limit_session(run: SqlRun, lock_timeout_ms: int, statement_timeout_ms: int | None = None) -> None:
    """The limits of the next statement outside a transaction; 0 means none, None the policy's."""
    longest = run.policy.statement_timeout_ms if statement_timeout_ms is None else statement_timeout_ms
    run.target.execute(_LIMITS, {"lock": str(lock_timeout_ms), "all": str(longest)})


def queues_readers(unit: Unit) -> bool:
    """True where the statement's lock makes ordinary reads or writes wait; beside the traffic it need not give way."""
    return any("ROW EXCLUSIVE" in CONFLICTS[mode] for _, mode in wanted_locks(unit.parts))
