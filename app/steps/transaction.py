"""A transactional group: limits, fence, statements one by one, ledger row, COMMIT: all of it takes effect, or nothing.

A connection lost in COMMIT leaves its outcome open: the ledger row is there or not, and the next attempt reads it.
"""

from collections.abc import Generator
from functools import partial

from app.run.events import Event, Gauge, UnitCommitted
from app.steps.index import refuse_invalid
from app.steps.politeness import holders, wanted_locks
from app.steps.sql_run import Moves, SqlRun
from app.steps.units import Unit
from app.target.errors import TargetError

#: A worker that stops between two statements loses its transaction after this, and its locks with it.
IDLE_TIMEOUT_MS = 10_000

_LIMITS = """
    SELECT pg_catalog.set_config(name, value, true)
      FROM ROWS FROM (unnest(%(names)s::text[]), unnest(%(values)s::text[])) AS s(name, value)
"""
#: PostgreSQL 17 brought transaction_timeout.
_HAS_TRANSACTION_TIMEOUT = 170000


def run_group(run: SqlRun, unit: Unit) -> Moves:
    """Bring the unit about, in as many attempts as the policy allows."""
    wanted = wanted_locks(unit.parts)
    old = partial(holders, run.target, wanted, older_than_ms=run.policy.lock_timeout_ms)
    while True:
        yield from run.wait_outside(unit, old, "waits outside the lock queue until an old transaction ends")
        lock_ms = run.lock_timeout_ms(unit)
        started = run.context.clock.monotonic()
        try:
            yield from _attempt(run, unit, lock_ms)
        except TargetError as error:
            waited = (run.context.clock.monotonic() - started) * 1000
            yield from run.recover_from(error, unit, waited, partial(holders, run.target, wanted))
            continue
        took = (run.context.clock.monotonic() - started) * 1000
        yield UnitCommitted(step=run.step, unit=unit.number, of=len(run.units), duration_ms=took)
        return


def _attempt(run: SqlRun, unit: Unit, lock_ms: int) -> Generator[Event | Gauge, None, None]:
    started = run.context.clock.monotonic()
    with run.target.transaction():
        run.ledger.assert_fence(run.target)
        _limit(run, lock_ms, whole_transaction=True)
        for part in unit.parts:
            # the server bounds the wait for each lock; a statement that wants several is bounded by our own deadline
            yield from run.send(part, gives_way=True, lock_deadline_ms=lock_ms if wanted_locks([part]) else 0)
            if part.statement.kind == "VariableSetStmt":
                # a plan may ask for shorter limits, not for longer ones
                _limit(
                    run,
                    _shorter(run, "lock_timeout", lock_ms),
                    _shorter(run, "statement_timeout", run.policy.statement_timeout_ms),
                )
            elif part.statement.kind == "IndexStmt" and part.statement.body.get("if_not_exists"):
                refuse_invalid(run, part)
        run.mark_done(unit, (run.context.clock.monotonic() - started) * 1000)


def _limit(run: SqlRun, lock_ms: int, statement_ms: int | None = None, *, whole_transaction: bool = False) -> None:
    statement = run.policy.statement_timeout_ms if statement_ms is None else statement_ms
    limits = {"lock_timeout": lock_ms, "statement_timeout": statement, "idle_in_transaction_session_timeout": IDLE_TIMEOUT_MS}
    if whole_transaction and run.policy.transaction_timeout_ms and run.target.server_version_num >= _HAS_TRANSACTION_TIMEOUT:
        limits["transaction_timeout"] = run.policy.transaction_timeout_ms
    run.target.execute(_LIMITS, {"names": list(limits), "values": [str(value) for value in limits.values()]})


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
