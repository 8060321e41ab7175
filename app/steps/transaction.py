"""A transactional group: limits, fence, statements one by one, ledger row, COMMIT: all of it takes effect, or nothing.

A connection lost in COMMIT leaves its outcome open: the ledger row is there or not, and the next attempt reads it.
"""

from collections.abc import Generator
from functools import partial

from app.run.events import Event, Gauge, UnitCommitted
from app.steps.politeness import holders, wanted_locks
from app.steps.sql_run import Moves, SqlRun
from app.steps.units import Unit
from app.target.errors import TargetError

#: A worker that stops between two statements loses its transaction after this, and its locks with it.
IDLE_TIMEOUT_MS = 10_000

_LIMITS = """
    SELECT pg_catalog.set_config('lock_timeout', %(lock)s, true),
           pg_catalog.set_config('statement_timeout', %(statement)s, true),
           pg_catalog.set_config('idle_in_transaction_session_timeout', %(idle)s, true)
"""


def run_group(run: SqlRun, unit: Unit) -> Moves:
    """Bring the unit about, in as many attempts as the policy allows."""
    wanted = wanted_locks(unit.parts)
    lock_ms = run.policy.lock_timeout_ms
    while True:
        old = partial(holders, run.target, wanted, older_than_ms=lock_ms)
        yield from run.wait_outside(unit, old, "waits outside the lock queue until an old transaction ends")
        started = run.context.clock.monotonic()
        try:
            yield from _attempt(run, unit)
        except TargetError as error:
            waited = (run.context.clock.monotonic() - started) * 1000
            yield from run.recover_from(error, unit, waited, partial(holders, run.target, wanted))
            continue
        took = (run.context.clock.monotonic() - started) * 1000
        yield UnitCommitted(step=run.step, unit=unit.number, of=len(run.units), duration_ms=took)
        return


def _attempt(run: SqlRun, unit: Unit) -> Generator[Event | Gauge, None, None]:
    started = run.context.clock.monotonic()
    with run.target.transaction():
        run.ledger.assert_fence(run.target)
        _limit(run)
        for part in unit.parts:
            yield from run.send(part, gives_way=True)
            if part.statement.kind == "VariableSetStmt":
                # a plan may ask for shorter limits, not for longer ones
                _limit(run, shorter_stays=True)
        run.mark_done(unit, (run.context.clock.monotonic() - started) * 1000)


def _limit(run: SqlRun, *, shorter_stays: bool = False) -> None:
    lock, statement = run.policy.lock_timeout_ms, run.policy.statement_timeout_ms
    if shorter_stays:
        lock, statement = (_shorter(run, "lock_timeout", lock), _shorter(run, "statement_timeout", statement))
    run.target.execute(_LIMITS, {"lock": str(lock), "statement": str(statement), "idle": str(IDLE_TIMEOUT_MS)})


def _shorter(run: SqlRun, name: str, limit_ms: int) -> int:
    row = run.target.one("SELECT setting::int AS ms FROM pg_catalog.pg_settings WHERE name = %(name)s", {"name": name})
    said = int(row["ms"]) if row else 0
    if limit_ms == 0 or said == 0:
        return said or limit_ms
    return min(said, limit_ms)


def say_again(run: SqlRun, statements: list[str]) -> None:
    """Repeat the SET statements of earlier units in a new session; ours keep the upper hand in each unit."""
    for statement in statements:
        run.target.send(statement)
