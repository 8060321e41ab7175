"""A run, step after step, for one slice: take it on the target, go on where the ledger says, let go."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg

from app.backfill.ledger import Ledger, LedgerMismatchError, Taken
from app.clock import Clock
from app.engine.drive import Stopped, drive
from app.engine.heartbeat import Heartbeat
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
from app.engine.recover import end_sessions, is_target_away, take
from app.engine.undo import Undo, steps_to_undo, undo_of
from app.errors import HeadgateError
from app.plan.model import Step
from app.run import events
from app.run.journal import Journal, LeaseLostError
from app.steps.protocol import Done, StepContext, StepRun, Undoable, Waiting
from app.steps.registry import kind_of
from app.steps.sql_run import policy_of
from app.target.errors import StatementCancelledError, TargetError, from_psycopg
from app.target.knocking import connect_unless
from app.target.parking import Parking
from app.target.session import Target


@dataclass(kw_only=True)
class _Slice:
    """What the functions of one slice share."""

    order: RunOrder
    journal: Journal
    clock: Clock
    deadline: float
    target: Target
    ledger: Ledger
    heartbeat: Heartbeat
    parking: Parking
    taken: Taken
    results: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    #: the step that an earlier holder left in the middle is looked at with suspicion, those after it are new
    is_recovery: bool = False

    def is_over(self) -> bool:
        return self.clock.monotonic() >= self.deadline


def execute(order: RunOrder, journal: Journal, *, clock: Clock, deadline_monotonic: float) -> SliceResult:
    """Drive the run until it ends, waits, fails, is asked to stop, or the deadline passes at a safe point.

    Never raises what has a result of its own; anything else that comes out is a defect or the journal's own trouble.
    """
    ledger = Ledger(schema=order.ledger_schema, run=order.key, fence=order.fence, direction=order.direction)
    results: dict[str, Mapping[str, Any]] = {}
    connect = partial(Target.connect, order.dsn, purpose=f"run {order.label}")
    try:
        with (
            Heartbeat(journal, order.dsn, lease_seconds=order.lease_seconds) as heartbeat,
            connect_unless(heartbeat.is_unwanted, connect) as target,
            closing(Parking(order.dsn, is_unwanted=heartbeat.is_unwanted)) as parking,
        ):
            taken = take(target, ledger, order.label, heartbeat.rest)
            work = _Slice(
                order=order,
                journal=journal,
                clock=clock,
                deadline=deadline_monotonic,
                target=target,
                ledger=ledger,
                heartbeat=heartbeat,
                parking=parking,
                taken=taken,
                results=results,
                is_recovery=taken.is_recovery,
            )
            result = _run_steps(work)
            if isinstance(result, StopReached):
                # a build that was adopted, and left alive for that, has no reason to go on
                end_sessions(target, order.label, with_builders=True)
            ledger.let_go(target)
            return result
    except LeaseLostError:
        return Fenced()
    except TargetError as error:
        if is_target_away(error):
            return TargetAway(error=error, results=results)
        return _failed_outside(order, journal, error, results)
    except psycopg.Error as error:
        return TargetAway(error=from_psycopg(error), results=results)
    except HeadgateError as error:
        return _failed_outside(order, journal, error, results)


def _failed_outside(
    order: RunOrder, journal: Journal, error: HeadgateError, results: Mapping[str, Mapping[str, Any]]
) -> StepFailed | Fenced:
    """A failure before or between the steps: the next step gets it, so that its words and its way out are kept."""
    waiting = (step.id for step in order.plan.steps() if step.id not in order.steps_done | results.keys() | order.skipped)
    step = next(waiting, "")
    try:
        journal.record(_failure(step, error))
    except LeaseLostError:
        return Fenced()
    return StepFailed(step=step, error=error, results=results)


def _run_steps(work: _Slice) -> SliceResult:
    done = work.ledger.steps_done(work.target)
    _compare(work.order, done)
    positions = {step.id: number for number, step in enumerate(work.order.plan.steps(), start=1)}
    steps = list(_steps(work))
    for number, step in enumerate(steps, start=1):
        if step.id in done:
            _tell_again(work, step, positions[step.id])
            continue
        ask = work.journal.asked()
        if ask is not None:
            return StopReached(ask=ask, results=work.results)
        if work.is_over() and work.results:
            return SliceEnded(results=work.results)
        ended = _run_step(work, step, positions[step.id], remains=[left.id for left in steps[number:]])
        work.is_recovery = False
        if ended is not None:
            return ended
    return Finished(results=work.results)


def _steps(work: _Slice) -> Iterator[Step]:
    order = work.order
    if order.direction == "forward":
        yield from (step for step in order.plan.steps() if step.id not in order.skipped)
        return
    touched = work.ledger.touched_steps(work.target, order.forward_key) if order.forward_key else frozenset()
    yield from steps_to_undo(order, touched)


def _tell_again(work: _Slice, step: Step, position: int) -> None:
    """Say what a holder before us did not come to say: it finished the step on the target, and was gone."""
    order = work.order
    if order.results_kept is None:
        return
    if step.kind == "backfill" and order.direction == "forward" and step.id not in order.results_kept:
        # all of its rows are done, so that it only reads its figures and its certificate from the target
        outcome = _drive(work, step, None, position)
        if isinstance(outcome, Done):
            work.results[step.id] = outcome.result
    if step.id not in order.steps_done:
        spent = work.ledger.spent_ms(work.target, step.id)
        said = events.StepRolledBack if order.direction == "rollback" else events.StepFinished
        work.journal.record(said(step=step.id, duration_ms=spent))


def _compare(order: RunOrder, done: frozenset[str]) -> None:
    """Stop for a person where the target has forgotten what it once told us.

    Raises LedgerMismatchError.
    """
    forgotten = sorted(order.steps_done - done - order.skipped)
    if forgotten:
        raise LedgerMismatchError(
            f"The ledger on the target does not know of finished steps: {', '.join(forgotten)}.",
            hint="A failover or a restore may have lost the target's last commits. Look at the target before you go on.",
        )


def _run_step(work: _Slice, step: Step, position: int, *, remains: Sequence[str]) -> SliceResult | None:
    """Run or undo one step; None where it is done and the next one may follow. ``remains``: the steps after it."""
    undo = undo_of(step, remains=remains) if work.order.direction == "rollback" else None
    if undo is not None and undo.refusal is not None:
        work.journal.record(events.StepNotUndone(step=step.id, reason=undo.refusal.message, remains=tuple(remains)))
        return StepFailed(step=step.id, error=undo.refusal, results=work.results)
    doing = undo.step if undo is not None else step
    leaves_units = bool(getattr(kind_of(doing.kind), "leaves_units", False))
    begun = work.ledger.begin_step(work.target, step.id, _digest(doing), is_recovery=work.is_recovery, leaves_units=leaves_units)
    if begun.is_new:
        work.journal.record(events.StepStarted(step=step.id, kind=step.kind, attempt=begun.attempt))
    started = work.clock.monotonic()
    try:
        outcome = _drive(work, doing, undo, position)
    except psycopg.Error as error:
        return _answer_error(work, step, from_psycopg(error))
    except HeadgateError as error:
        return _answer_error(work, step, error)
    spent = begun.spent_ms + (work.clock.monotonic() - started) * 1000
    return _conclude(work, doing, outcome, spent)


def _drive(work: _Slice, step: Step, undo: Undo | None, position: int) -> Done | Waiting | Stopped:
    context = _context(work, step, position)
    work.heartbeat.begin_step(step.id, policy_of(context))
    kind = kind_of(step.kind) if undo is None else undo.kind
    if kind is None:
        return Done()
    run: StepRun = kind.undo(context) if undo is not None and undo.by_kind and isinstance(kind, Undoable) else kind.run(context)
    return drive(
        run,
        work.journal,
        is_over=work.is_over,
        confirm=work.heartbeat.confirm,
        is_one_unit=bool(getattr(kind, "is_one_unit", False)),
    )


def _conclude(work: _Slice, step: Step, outcome: Done | Waiting | Stopped, spent_ms: float) -> SliceResult | None:
    if isinstance(outcome, Done):
        also = work.order.options.get("with_last_unit", {}).get(step.id)
        work.ledger.finish_step(work.target, step.id, _digest(step), spent_ms, also=also)
        work.results[step.id] = outcome.result
        rolled_back = work.order.direction == "rollback"
        said = events.StepRolledBack if rolled_back else events.StepFinished
        work.journal.record(said(step=step.id, duration_ms=spent_ms))
        return None
    work.ledger.leave_step(work.target, step.id, spent_ms)
    if isinstance(outcome, Stopped):
        return StopReached(ask=outcome.ask, results=work.results) if outcome.ask else SliceEnded(results=work.results)
    if outcome.on == "gate" or outcome.until is None:
        return WaitingGate(step=step.id, reason=outcome.reason, results=work.results)
    return WaitingTime(step=step.id, until=outcome.until, reason=outcome.reason, results=work.results)


def _answer_error(work: _Slice, step: Step, error: HeadgateError) -> SliceResult:
    """What an error in a step means; raises it again where it is not the step's own."""
    if isinstance(error, LeaseLostError) or (isinstance(error, TargetError) and is_target_away(error)):
        raise error
    why = work.heartbeat.interrupted() if isinstance(error, StatementCancelledError) else None
    if why is None or why.reason in {"queue", "locks"}:
        return _fail(work, step, error)
    if why.reason == "lease":
        raise LeaseLostError from error
    work.journal.record(events.StatementCancelled(step=step.id, pid=why.pid))
    ask = work.journal.asked()
    return StopReached(ask=ask, results=work.results) if ask else SliceEnded(results=work.results)


def _fail(work: _Slice, step: Step, error: HeadgateError) -> StepFailed:
    work.ledger.fail_step(work.target, step.id, error.message)
    work.journal.record(_failure(step.id, error))
    return StepFailed(step=step.id, error=error, results=work.results)


def _failure(step: str, error: HeadgateError) -> events.StepFailed:
    return events.StepFailed(
        step=step,
        message=error.message,
        sqlstate=error.sqlstate,
        hint=error.hint,
        detail=getattr(error, "detail", None),
        statement=getattr(error, "statement", None),
        position=getattr(error, "position", None),
    )


def _context(work: _Slice, step: Step, position: int) -> StepContext:
    order, heartbeat = work.order, work.heartbeat
    return StepContext(
        run=order.key,
        run_number=order.number,
        fence=order.fence,
        step=step,
        position=position,
        direction=order.direction,
        dsn=order.dsn,
        ledger_schema=order.ledger_schema,
        locks=order.locks,
        clock=work.clock,
        rest=heartbeat.rest,
        watch=heartbeat.watch,
        interrupted=heartbeat.interrupted,
        waited_ms=heartbeat.waited_ms,
        is_recovery=work.is_recovery,
        opened_gates=order.opened_gates,
        options=order.options,
        parking=work.parking,
    )


def _digest(step: Step) -> str:
    content = json.dumps([step.kind, dict(step.spec)], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
