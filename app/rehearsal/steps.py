"""One step on the shadow: SQL traced statement by statement, backfills and checks by their own kinds, the rest by a word."""

import itertools
import time
from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg

from app.backfill.ledger import Ledger
from app.backfill.ledger_tables import ensure_ledger
from app.clock import SystemClock
from app.plan.model import Step
from app.rehearsal.report import StepNote
from app.rehearsal.trace import StatementTrace, Tracer
from app.sql.classify import classify
from app.sql.split import Statement, split
from app.steps.protocol import Done, LockPolicy, StepContext
from app.steps.registry import kind_of
from app.target.session import Target

_FENCE = 1
#: why a kind is left out: a shadow has no rows, no people and no application
_LEFT_OUT = {
    "gate": "A person confirms it in the real run.",
    "hook": "Nothing outside is called by a rehearsal.",
    "backup": "There are no rows to back up in a shadow.",
    "wait": "Waiting proves nothing on a shadow.",
}


def groups(sql: str, *, together: bool = True) -> Iterator[tuple[bool, list[Statement]]]:
    """Statements in the order written, as they commit: (True, those of one transaction) or (False, one that refuses it)."""
    keyed = ((classify(statement).is_transactional, statement) for statement in split(sql))
    for transactional, run in itertools.groupby(keyed, key=lambda pair: pair[0]):
        statements = [statement for _, statement in run]
        if transactional and together:
            yield True, statements
        else:
            yield from ((transactional, [statement]) for statement in statements)


def run_sql(tracer: Tracer, step: Step, phase: str) -> list[StatementTrace]:
    """Run a step's statements as the engine would group them; Raises TargetError."""
    traces: list[StatementTrace] = []
    for transactional, statements in groups(step.spec["sql"], together=step.spec.get("transaction", True)):
        if not transactional:
            traces.append(tracer.run_alone(statements[0].text, step=step.id, phase=phase))
            continue
        with tracer.transaction() as ended:
            for statement in statements:
                tracer.run(statement.text, step=step.id, phase=phase)
        traces += ended
    return traces


def run_step(dsn: str, step: Step, *, ledger_schema: str) -> StepNote:
    """Run a step of another kind with the real kind, or say why it is left out; Raises HeadgateError."""
    if (reason := _LEFT_OUT.get(step.kind)) is not None:
        return StepNote(step=step.id, kind=step.kind, outcome="skipped", text=reason)
    started = time.monotonic()
    run = uuid4()
    with Target.connect(dsn, purpose="rehearsal") as target:
        ensure_ledger(target, ledger_schema)
        Ledger(schema=ledger_schema, run=run, fence=_FENCE, direction="forward").take(target, "rehearsal")
    outcome = _drain(_context(dsn, step, run, ledger_schema))
    duration_ms = (time.monotonic() - started) * 1000
    text = "It ran on the empty shadow: its SQL is valid." if isinstance(outcome, Done) else "It waits."
    return StepNote(step=step.id, kind=step.kind, outcome="ran", text=text, duration_ms=duration_ms)


def run_plainly(connection: psycopg.Connection, sql: str) -> None:
    """Run statements in their groups, untraced; Raises psycopg.Error."""
    for transactional, statements in groups(sql):
        if transactional:
            with connection.transaction():
                for statement in statements:
                    connection.execute(statement.text.encode())
        else:
            connection.execute(statements[0].text.encode())


def _drain(context: StepContext) -> object:
    running = kind_of(context.step.kind).run(context)
    while True:
        try:
            next(running)
        except StopIteration as end:
            return end.value


def _context(dsn: str, step: Step, run: UUID, ledger_schema: str) -> StepContext:
    return StepContext(
        run=run,
        run_number=0,
        fence=_FENCE,
        step=step,
        position=1,
        direction="forward",
        dsn=dsn,
        ledger_schema=ledger_schema,
        locks=LockPolicy(attempts=1),
        clock=SystemClock(),
        rest=lambda _seconds: None,
        watch=_nobody_watches,
    )


def _nobody_watches(_pid: int | None, _statement: str | None, *, gives_way: bool = False, lock_deadline_ms: int = 0) -> None:
    """On a shadow nobody waits behind us, whether the statement would give way or not."""
    del gives_way, lock_deadline_ms
