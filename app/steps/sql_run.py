"""One SQL step while it runs: its session, its ledger rows, its limits, and the moves that all kinds of unit share."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from app.backfill.ledger import Ledger, UnitRow
from app.plan.model import Step
from app.run.events import (
    AttemptFailed,
    BlockerAwaited,
    Event,
    Gauge,
    LockNotGranted,
    QueueYielded,
    StatementCancelled,
    StatementFinished,
    StatementStarted,
)
from app.run.journal import LeaseLostError
from app.steps.errors import BlockedTooLongError, GaveWayTooOftenError
from app.steps.politeness import Holder, old_snapshots, outlasting_autovacuum_ms, sessions_of, wanted_locks
from app.steps.protocol import LockPolicy, StepContext
from app.steps.retry import rest_ms, rung_ms, spent_by_giving_way
from app.steps.units import Part, Unit
from app.target.errors import LockNotGrantedError, StatementCancelledError, TargetError
from app.target.session import Target

Moves = Generator[Event | Gauge, None, None]
#: What a step may say otherwise than the target's policy.
LIMITS = (
    "lock_timeout_ms",
    "statement_timeout_ms",
    "transaction_timeout_ms",
    "attempts",
    "patience_ms",
    "queue_tolerance_ms",
    "queue_sessions",
)
#: So many of those in the way are named.
_SHOWN = 10
#: Looked at so often while we wait outside the queue.
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRun:
    """What the units of one step share."""

    context: StepContext
    target: Target
    ledger: Ledger
    policy: LockPolicy
    units: tuple[Unit, ...]
    #: what the ledger said when the step began or went on
    rows: dict[int, UnitRow]

    @property
    def step(self) -> str:
        """The step's id."""
        return self.context.step.id

    def send(self, part: Part, *, gives_way: bool, lock_deadline_ms: int) -> Generator[Event | Gauge, None, int]:
        """Run one statement between its two events; returns the rows it changed."""
        index, of = part.statement.index, sum(len(unit.parts) for unit in self.units)
        yield StatementStarted(step=self.step, index=index, of=of, sql=part.text, pid=self.target.pid)
        started = self.context.clock.monotonic()
        self.context.watch(self.target.pid, part.text, gives_way=gives_way, lock_deadline_ms=lock_deadline_ms)
        try:
            rows = self.target.send(part.text)
        finally:
            self.context.watch(None, None)
        took = (self.context.clock.monotonic() - started) * 1000
        changed = rows if part.effect.is_dml else -1
        waited = min(self.context.waited_ms(), took)
        yield StatementFinished(step=self.step, index=index, duration_ms=took, changed_rows=changed, waited_ms=waited)
        return changed

    def mark_done(self, unit: Unit, duration_ms: float) -> None:
        """Write the unit's row, and with the last one what belongs to the whole step; in a transaction that holds the fence."""
        self.ledger.record_done(self.target, self.step, unit.number, unit.digest, duration_ms)
        if unit is self.units[-1]:
            finishing: Callable[[Target], None] | None = self.context.options.get("with_last_unit", {}).get(self.step)
            if finishing is not None:
                finishing(self.target)

    def wait_outside(self, unit: Unit, look: Callable[[], Sequence[Holder]], why: str) -> Moves:
        """Wait until ``look`` finds nobody, up to the step's patience.

        Raises BlockedTooLongError that names who stood in the way.
        """
        found = look()
        if not found:
            return
        row = self.rows.get(unit.number)
        since = row.waiting_since if row else None
        if since is None:
            since = self.context.clock.now()
            self.note(unit, self.attempts(unit), waiting_since=since)
            yield BlockerAwaited(step=self.step, blockers=_names(found), patience_ms=float(self.policy.patience_ms))
        while found:
            if self.context.clock.now() - since > timedelta(milliseconds=self.policy.patience_ms):
                raise _blocked_too_long(self.policy, "outside the lock queue", found)
            yield Gauge(
                step=self.step,
                phase=why,
                source="pg_locks, pg_stat_activity",
                blocked_by=_names(found),
                blocker_sessions=sessions_of(found[:_SHOWN]),
            )
            self.context.rest(LOOK_SECONDS)
            found = look()
        self.note(unit, self.attempts(unit), waiting_since=None)

    def recover_from(self, error: TargetError, unit: Unit, waited_ms: float, look: Callable[[], Sequence[Holder]]) -> Moves:
        """After a failed attempt that changed nothing: say why, rest, and let the caller try again.

        Raises the error itself where it does not deserve another try, or was the last one.
        """
        why = self.context.interrupted() if isinstance(error, StatementCancelledError) else None
        if why is None and not error.is_retryable:
            raise error
        if why is not None and why.reason == "lease":
            raise LeaseLostError from error
        if why is not None and why.reason == "ask":
            yield StatementCancelled(step=self.step, pid=self.target.pid)
            return
        if why is not None and why.reason == "locks" and unit.way in {"index", "detach"}:
            raise _blocked_too_long(self.policy, "in its middle", [*look(), *old_snapshots(self.target, older_than_ms=0)])
        gave_way = why is not None and why.reason == "queue"
        cost = spent_by_giving_way(self.policy) if gave_way and why is not None and why.held_a_lock else 1
        attempt = self.attempts(unit) + cost
        if attempt >= self.policy.attempts:
            raise _gave_way_too_often(why.waiting) if gave_way and why is not None else _not_granted(error)
        self.note(unit, attempt, waiting_since=None)
        rest = rest_ms(attempt, self.policy)
        if gave_way and why is not None:
            yield QueueYielded(step=self.step, waiting=why.waiting, held_ms=why.held_ms, retry_in_ms=rest)
        elif why is not None or isinstance(error, LockNotGrantedError):
            yield LockNotGranted(
                step=self.step,
                attempt=attempt,
                attempts=self.policy.attempts,
                waited_ms=waited_ms,
                retry_in_ms=rest,
                blockers=_names(look()),
            )
        else:
            yield AttemptFailed(
                step=self.step,
                attempt=attempt,
                attempts=self.policy.attempts,
                sqlstate=error.sqlstate,
                message=error.message,
                retry_in_ms=rest,
            )
        self.context.rest(rest / 1000)
        yield Gauge(step=self.step, phase=f"tries again, attempt {attempt + 1} of {self.policy.attempts}")

    def lock_timeout_ms(self, unit: Unit) -> int:
        """How long the next attempt may wait for a lock, by the ladder; longer where only an autovacuum is in the way."""
        failed = self.attempts(unit)
        wanted = rung_ms(failed, self.policy)
        if not 0 < wanted == self.policy.lock_timeout_ms or not failed:
            return wanted
        # only asked after a failed attempt: what is free costs no question
        return max(wanted, outlasting_autovacuum_ms(self.target, wanted_locks(unit.parts)))

    def lock_deadline_ms(self, unit: Unit) -> int:
        """How long a statement outside transactions may wait in its middle: a build as long as the step has patience."""
        return self.policy.patience_ms if unit.way in {"index", "detach"} else self.lock_timeout_ms(unit)

    def attempts(self, unit: Unit) -> int:
        """Failed attempts at the unit so far, earlier slices included."""
        row = self.rows.get(unit.number)
        return row.attempts if row else 0

    def note(self, unit: Unit, attempts: int, waiting_since: Any) -> None:
        """Keep attempts and waiting in the ledger, so that the next slice goes on counting."""
        self.ledger.record_attempt(
            self.target, self.step, unit.number, unit.digest, attempts=attempts, waiting_since=waiting_since
        )
        self.rows.update(self.ledger.units(self.target, self.step))


def policy_of(context: StepContext) -> LockPolicy:
    """The target's policy with what the step says otherwise."""
    return with_limits_of(context.step, context.locks)


def with_limits_of(step: Step, policy: LockPolicy) -> LockPolicy:
    """A policy with what a step says otherwise."""
    return replace(policy, **{name: int(step.spec[name]) for name in LIMITS if step.spec.get(name) is not None})


def _names(found: Sequence[Holder]) -> tuple[str, ...]:
    return tuple(holder.sentence for holder in found[:_SHOWN])


def _blocked_too_long(policy: LockPolicy, where: str, found: Sequence[Holder]) -> BlockedTooLongError:
    who = f"; still there: {found[0].sentence}" if found else ""
    return BlockedTooLongError(
        f"Waited {policy.patience_ms / 1000:.0f} s {where}{who}",
        hint="End that session or wait for its end, then try the step again. Nothing was changed.",
    )


def _gave_way_too_often(waiting: int) -> GaveWayTooOftenError:
    return GaveWayTooOftenError(
        f"Gave way again and again: at the last time {waiting} session{'s' * (waiting != 1)} queued behind the step for longer "
        "than it tolerates.",
        hint="Run it in a quieter hour, take the safe recipe that analysis offers, or let the plan tolerate a longer queue.",
    )


def _not_granted(error: TargetError) -> TargetError:
    """The last attempt's error; where we ended the wait ourselves, it says so in the words of a lock that was not granted."""
    if not isinstance(error, StatementCancelledError):
        return error
    return LockNotGrantedError(
        "The locks of the statement were not granted in time, all of them together.", statement=error.statement
    )
