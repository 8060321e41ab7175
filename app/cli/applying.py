"""One migration after the other through the real engine, without a dashboard; the ledger on the target outlives a crash."""

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from app.backfill.applied import Applied, approval_wanted_by, next_fence, record_applied, record_rolled_back
from app.backfill.ledger_tables import ensure_ledger
from app.cli.lines import JsonLines
from app.clock import SystemClock
from app.engine.execute import execute
from app.engine.order import (
    Fenced,
    Finished,
    RunOrder,
    SliceEnded,
    SliceResult,
    StepFailed,
    StopReached,
    TargetAway,
    WaitingGate,
    WaitingTime,
)
from app.errors import HeadgateError
from app.plan.model import Plan
from app.run.events import RunCreated, RunFinished, TargetFound, TargetLost
from app.steps.protocol import LockPolicy
from app.target.session import Target

#: Without a dashboard nobody waits in the evening: a target that stays away for longer ends the command.
PATIENCE_SECONDS = 30.0
_REST_SECONDS = 1.0
_SLICE_SECONDS = 60.0
#: The server needs a moment to see that a killed command's connection is gone.
_LOCK_SECONDS = 5.0
_LOCK = "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended('headgate apply: ' || %(schema)s, 0)) AS taken"

EXIT_GOOD, EXIT_NOT_GOOD, EXIT_UNREACHABLE = 0, 1, 3


class ApprovalWantedError(HeadgateError):
    """A dashboard looks after this target, and its policy wants approvals."""

    status = 403
    exit_code = 1


class OtherApplyError(HeadgateError):
    """Another command works on this target now."""

    status = 409
    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a command ends: the state of its last line, and the exit code."""

    state: str
    code: int
    message: str = ""


@dataclass(kw_only=True)
class Bench:
    """What the commands share: an open target that is ours alone, and the lines that are printed."""

    dsn: str
    schema: str
    target: Target
    journal: JsonLines
    opened_gates: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    locks: LockPolicy = field(default_factory=LockPolicy)
    started: float = field(default_factory=time.monotonic)

    def end(self, ending: Ending) -> int:
        """Print the last line and return the exit code."""
        seconds = round(time.monotonic() - self.started, 3)
        self.journal.record(RunFinished(state=ending.state, seconds=seconds, message=ending.message))
        if ending.message:
            print(ending.message, file=sys.stderr)
        return ending.code


@contextmanager
def alone_on(dsn: str, schema: str) -> Iterator[Target]:
    """A session on the target that no other command shares its work with.

    Raises ApprovalWantedError, OtherApplyError, LedgerRightsError, TargetUnreachableError.
    """
    with Target.connect(dsn, purpose="apply") as target:
        ensure_ledger(target, schema)
        dashboard = approval_wanted_by(target, schema)
        if dashboard is not None:
            raise ApprovalWantedError(
                f"This target is looked after by {dashboard}, whose policy wants approvals.",
                hint="Make a plan of the migrations there; the command line is for development databases and CI.",
            )
        deadline = time.monotonic() + _LOCK_SECONDS
        while not (target.one(_LOCK, {"schema": schema}) or {}).get("taken"):
            if time.monotonic() > deadline:
                raise OtherApplyError(hint="Wait for its end; the same command then does what is left.")
            threading.Event().wait(0.1)
        yield target


def apply_one(bench: Bench, applied: Applied, plan: Plan) -> Ending | None:
    """Bring one migration about; None where it is applied and the next one may follow."""
    record = partial(record_applied, schema=bench.schema, applied=applied)
    last = [step.id for step in plan.steps()][-1:]
    order = RunOrder(
        key=applied.run,
        number=0,
        plan=plan,
        direction="forward",
        dsn=bench.dsn,
        fence=0,
        ledger_schema=bench.schema,
        locks=bench.locks,
        opened_gates=bench.opened_gates,
        options={**bench.options, "with_last_unit": dict.fromkeys(last, record)},
    )
    bench.journal.record(RunCreated(by="headgate", plan=applied.name, digest=applied.digest, direction="forward"))
    ending = _drive(bench, order)
    if ending is None:
        # a plan whose last step has no unit of its own has not said so yet
        record(bench.target)
    return ending


def roll_back_one(bench: Bench, applied: Applied) -> Ending | None:
    """Undo one migration; None where it is undone and the one before may follow."""
    order = RunOrder(
        key=uuid5(applied.run, "rollback"),
        number=0,
        plan=Plan.from_json(applied.plan),
        direction="rollback",
        dsn=bench.dsn,
        fence=0,
        ledger_schema=bench.schema,
        locks=bench.locks,
        options=bench.options,
        forward_key=applied.run,
    )
    bench.journal.record(RunCreated(by="headgate", plan=applied.name, digest=applied.digest, direction="rollback"))
    ending = _drive(bench, order)
    if ending is None:
        record_rolled_back(bench.target, bench.schema, applied.name)
    return ending


def _drive(bench: Bench, order: RunOrder) -> Ending | None:
    """Slice after slice; None where every step is done."""
    lost_at: float | None = None
    while True:
        fence = _fence(bench, order.key)
        result: SliceResult | None = None
        if fence is not None:
            deadline = time.monotonic() + _SLICE_SECONDS
            result = execute(replace(order, fence=fence), bench.journal, clock=SystemClock(), deadline_monotonic=deadline)
        if result is None or isinstance(result, TargetAway):
            lost_at = lost_at or time.monotonic()
            message = result.error.message if result is not None else "The target does not answer."
            if time.monotonic() - lost_at > PATIENCE_SECONDS or bench.journal.ask:
                return Ending(state="waiting_target", code=EXIT_UNREACHABLE, message=message)
            bench.journal.record(TargetLost(message=message, retry_in_ms=_REST_SECONDS * 1000))
            threading.Event().wait(_REST_SECONDS)
            continue
        if lost_at is not None:
            bench.journal.record(TargetFound(away_seconds=round(time.monotonic() - lost_at, 1)))
            lost_at = None
        if isinstance(result, WaitingTime):
            _wait_until(bench, result)
        elif not isinstance(result, SliceEnded):
            return _ending(result)


def _fence(bench: Bench, key: UUID) -> int | None:
    """A fence above every holder before us; None where the target does not answer."""
    try:
        return next_fence(bench.target, bench.schema, key)
    except HeadgateError:
        bench.target.close()
    try:
        bench.target = Target.connect(bench.dsn, purpose="apply")
        return next_fence(bench.target, bench.schema, key)
    except HeadgateError:
        return None


def _wait_until(bench: Bench, waiting: WaitingTime) -> None:
    clock = SystemClock()
    while clock.now() < waiting.until and bench.journal.ask is None:
        threading.Event().wait(min(0.5, (waiting.until - clock.now()).total_seconds() + 0.01))


def _ending(result: SliceResult) -> Ending | None:
    match result:
        case Finished():
            return None
        case StepFailed(step=step, error=error):
            hint = f" {error.hint}" if error.hint else ""
            return Ending(state="failed", code=error.exit_code or EXIT_NOT_GOOD, message=f"Step {step}: {error.message}{hint}")
        case WaitingGate(step=step, reason=reason):
            message = f"Step {step} waits for a person: {reason} Say it with --open {step}."
            return Ending(state="waiting_gate", code=EXIT_NOT_GOOD, message=message)
        case StopReached():
            message = "Stopped between two units; the same command goes on from there."
            return Ending(state="paused", code=EXIT_NOT_GOOD, message=message)
        case Fenced():
            return Ending(state="failed", code=EXIT_NOT_GOOD, message="Another command took this run over.")
        case _:
            return Ending(state="failed", code=EXIT_NOT_GOOD, message="The run ended in an unexpected way.")
