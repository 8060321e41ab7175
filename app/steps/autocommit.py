"""A single statement outside transactions: intent, the statement, done. The catalog tells what an intent without a done means."""

from collections.abc import Callable, Generator
from functools import partial

from app.run.events import Event, Gauge, UnitCommitted, UnitReconciled
from app.sql.lock_levels import CONFLICTS
from app.steps.politeness import holders, wanted_locks
from app.steps.sql_run import Moves, SqlRun
from app.steps.units import Part, Unit
from app.target.errors import ConnectionLostError, TargetError

_LIMITS = """
    SELECT pg_catalog.set_config('lock_timeout', %(lock)s, false),
           pg_catalog.set_config('statement_timeout', %(all)s, false)
"""


def run_repeatable(run: SqlRun, unit: Unit) -> Moves:
    """VACUUM, CLUSTER, REINDEX: doing it again after a crash does no harm, so that is what an open intent means."""
    if has_intent(run, unit) and run.context.is_recovery:
        found = "the statement had begun; it may be repeated without harm"
        yield UnitReconciled(step=run.step, unit=unit.number, outcome="again", found=found)
    look = partial(holders, run.target, wanted_locks(unit.parts), older_than_ms=run.policy.lock_timeout_ms)
    while True:
        yield from run.wait_outside(unit, look, "waits outside the lock queue until an old transaction ends")
        if (yield from run_with_intent(run, unit, lock_timeout_ms=run.lock_timeout_ms(unit), catch=True)):
            return


def has_intent(run: SqlRun, unit: Unit) -> bool:
    """True where the unit was begun and nobody could say how it ended."""
    row = run.rows.get(unit.number)
    return row is not None and row.state == "intent"


def run_with_intent(
    run: SqlRun,
    unit: Unit,
    *,
    lock_timeout_ms: int,
    part: Part | None = None,
    catch: bool = False,
    confirm: Callable[[], None] = lambda: None,
    is_open: Callable[[], bool] = lambda: False,
) -> Generator[Event | Gauge, None, bool]:
    """Intent, statement, done, in as many attempts as the policy allows.

    ``part``: what is sent in place of the unit's own statement. ``catch``: after a failed attempt that deserves another, return
    False so that the caller looks at the catalog first. ``confirm`` raises where the server's answer is not to be believed;
    ``is_open``: a refused attempt left a part of its work behind.
    """
    while True:
        run.ledger.record_intent(run.target, run.step, unit.number, unit.digest, attempts=run.attempts(unit))
        run.rows.update(run.ledger.units(run.target, run.step))
        limit_session(run, lock_timeout_ms)
        started = run.context.clock.monotonic()
        try:
            yield from run.send(part or unit.parts[0], gives_way=queues_others(unit), lock_deadline_ms=run.lock_deadline_ms(unit))
            confirm()
        except TargetError as error:
            if not isinstance(error, ConnectionLostError) and not is_open():
                # the server refused it: whatever is found there later is not of our making
                run.ledger.withdraw_intent(run.target, run.step, unit.number)
                run.rows.update(run.ledger.units(run.target, run.step))
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


def queues_others(unit: Unit) -> bool:
    """True where the statement can make ordinary reads or writes wait: a build beside the traffic need not give way."""
    return unit.way == "detach" or any("ROW EXCLUSIVE" in CONFLICTS[mode] for _, mode in wanted_locks(unit.parts))
