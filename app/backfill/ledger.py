"""The ledger: what has taken effect on a target, written there in the same transaction as the effect; the truth about a run.

Every write asserts the fence first: a worker that lost the run commits nothing, however late it wakes up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg import sql

from app.errors import HeadgateError
from app.run.journal import LeaseLostError
from app.target.session import Target

Direction = Literal["forward", "rollback"]

_ASSERT = "UPDATE {schema}.fence SET token = %(fence)s WHERE run = %(run)s AND token <= %(fence)s"
_SEEN = "SELECT token, let_go_at FROM {schema}.fence WHERE run = %(run)s"
_SHARED = """
    SELECT 1 AS yes FROM {schema}.fence WHERE label = %(label)s AND run <> %(run)s AND let_go_at IS NULL LIMIT 1
"""
_RAISE = """
    INSERT INTO {schema}.fence AS f (run, token, label) VALUES (%(run)s, %(fence)s, %(label)s)
        ON CONFLICT (run) DO UPDATE
       SET token = excluded.token, label = excluded.label, taken_at = clock_timestamp(), let_go_at = NULL
     WHERE f.token <= excluded.token
"""
_LET_GO = "UPDATE {schema}.fence SET let_go_at = clock_timestamp() WHERE run = %(run)s AND token = %(fence)s"
_UNITS = """
    SELECT unit, state, digest, fence, attempts, waiting_since, started_at, finished_at, duration_ms
      FROM {schema}.unit
     WHERE run = %(run)s AND step = %(step)s AND direction = %(direction)s
"""
_STEPS = """
    SELECT step FROM {schema}.unit
     WHERE run = %(run)s AND direction = %(direction)s AND unit = 0 AND state = 'done'
"""
_TOUCHED = "SELECT DISTINCT step FROM {schema}.unit WHERE run = %(run)s AND direction = 'forward' AND state <> 'trying'"
_TRYING = """
    INSERT INTO {schema}.unit AS u (run, step, unit, direction, state, digest, fence, attempts, waiting_since)
    VALUES (%(run)s, %(step)s, %(unit)s, %(direction)s, %(state)s, %(digest)s, %(fence)s, %(attempts)s, %(waiting_since)s)
        ON CONFLICT (run, step, unit, direction) DO UPDATE
       SET state = CASE WHEN u.state = 'intent' THEN 'intent' ELSE excluded.state END,
           digest = excluded.digest, fence = excluded.fence, attempts = excluded.attempts,
           waiting_since = excluded.waiting_since, finished_at = NULL, error = NULL
     WHERE u.state <> 'done'
"""
_WITHDRAW = """
    UPDATE {schema}.unit SET state = 'trying'
     WHERE run = %(run)s AND step = %(step)s AND direction = %(direction)s AND unit = %(unit)s AND state = 'intent'
"""
_DONE = """
    INSERT INTO {schema}.unit AS u
           (run, step, unit, direction, state, digest, fence, started_at, finished_at, duration_ms)
    VALUES (%(run)s, %(step)s, %(unit)s, %(direction)s, 'done', %(digest)s, %(fence)s,
            clock_timestamp() - make_interval(secs => %(duration_ms)s / 1000.0), clock_timestamp(), %(duration_ms)s)
        ON CONFLICT (run, step, unit, direction) DO UPDATE
       SET state = 'done', digest = excluded.digest, fence = excluded.fence, waiting_since = NULL,
           finished_at = excluded.finished_at, duration_ms = excluded.duration_ms
     WHERE u.state <> 'done'
"""
_BEFORE = """
    SELECT attempts, finished_at IS NOT NULL AS failed, duration_ms AS spent_ms FROM {schema}.unit
     WHERE run = %(run)s AND step = %(step)s AND direction = %(direction)s AND unit = 0
"""
_FORGET = """
    UPDATE {schema}.unit SET attempts = 0, waiting_since = NULL
     WHERE run = %(run)s AND step = %(step)s AND direction = %(direction)s AND unit > 0 AND state <> 'done'
"""
_SPENT = """
    UPDATE {schema}.unit SET duration_ms = %(spent_ms)s
     WHERE run = %(run)s AND step = %(step)s AND direction = %(direction)s AND unit = 0 AND state <> 'done'
"""
_FAILED = """
    UPDATE {schema}.unit SET finished_at = clock_timestamp(), error = %(error)s
     WHERE run = %(run)s AND step = %(step)s AND direction = %(direction)s AND unit = 0 AND state <> 'done'
"""


class FencedError(LeaseLostError):
    """The fence on the target is higher than ours: another worker drives this run now."""


class LedgerMismatchError(HeadgateError):
    """The ledger on the target tells of another content than the plan's."""

    status = 409
    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """What the ledger says of one unit of a step."""

    unit: int
    #: "trying" was never committed, "intent" may have taken effect, "done" has
    state: Literal["trying", "intent", "done"]
    digest: str
    fence: int
    attempts: int
    waiting_since: datetime | None
    started_at: datetime
    finished_at: datetime | None
    duration_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was found when a run was taken."""

    #: the run had been taken before
    is_known: bool
    #: the holder before ended without letting go: killed, or cut off
    is_recovery: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """How a step stands when it begins."""

    #: from 1; grows when it begins again after a failure or a crash
    attempt: int
    #: False where it only goes on after a slice or a pause
    is_new: bool
    #: what earlier slices worked on it
    spent_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """One run's part of the ledger, as one holder of the run may write it."""

    schema: str
    run: UUID
    fence: int
    direction: Direction

    def seen(self, target: Target) -> Taken:
        """What is known of the run before it is taken.

        Raises FencedError where somebody with a higher fence has it.
        """
        row = target.one(self._sql(_SEEN), {"run": self.run})
        if row is not None and row["token"] > self.fence:
            raise FencedError
        return Taken(is_known=row is not None, is_recovery=row is not None and row["let_go_at"] is None)

    def is_shared_label(self, target: Target, label: str) -> bool:
        """True where a run of another Headgate goes by the same number: its sessions must not be mistaken for ours."""
        row = target.one(self._sql(_SHARED), {"run": self.run, "label": label})
        return row is not None

    def take(self, target: Target, label: str) -> None:
        """Raise the fence to ours; holders before us commit nothing from here on.

        Raises FencedError where somebody with a higher fence has it.
        """
        if target.execute(self._sql(_RAISE), {"run": self.run, "fence": self.fence, "label": label}) == 0:
            raise FencedError

    def let_go(self, target: Target) -> None:
        """Say that we ended in order, so that the next holder has nothing to recover."""
        target.execute(self._sql(_LET_GO), {"run": self.run, "fence": self.fence})

    def assert_fence(self, target: Target) -> None:
        """Hold the fence until the end of the present transaction; it can't be raised meanwhile.

        Raises FencedError where somebody with a higher fence has the run.
        """
        if target.execute(self._sql(_ASSERT), {"run": self.run, "fence": self.fence}) == 0:
            raise FencedError

    def units(self, target: Target, step: str) -> dict[int, UnitRow]:
        """The rows of a step by unit, from 1; unit 0 is the step itself."""
        rows = target.all(self._sql(_UNITS), self._key(step))
        return {row["unit"]: UnitRow(**row) for row in rows}

    def steps_done(self, target: Target) -> frozenset[str]:
        """The steps that are finished in this direction."""
        rows = target.all(self._sql(_STEPS), {"run": self.run, "direction": self.direction})
        return frozenset(row["step"] for row in rows)

    def spent_ms(self, target: Target, step: str) -> float:
        """How long a step was worked on, all slices together."""
        row = target.one(self._sql(_BEFORE), self._key(step))
        return float((row["spent_ms"] if row else None) or 0.0)

    def record_done(self, target: Target, step: str, unit: int, digest: str, duration_ms: float) -> None:
        """Write that a unit took effect; call it in the unit's own transaction, after ``assert_fence``.

        Raises LedgerMismatchError where it had taken effect before: the transaction must not commit.
        """
        values = {**self._key(step), "unit": unit, "digest": digest, "fence": self.fence, "duration_ms": duration_ms}
        if target.execute(self._sql(_DONE), values) == 0:
            raise LedgerMismatchError(
                f"Unit {unit} of step {step} had taken effect before; this second time was rolled back.",
                hint="Continue the run: it goes on behind that unit.",
            )

    def record_intent(self, target: Target, step: str, unit: int, digest: str, *, attempts: int = 0) -> None:
        """Write, in a transaction of its own, that a statement outside transactions is about to be sent."""
        with target.transaction():
            self.assert_fence(target)
            self._record_open(target, step, unit, digest=digest, state="intent", attempts=attempts)

    def withdraw_intent(self, target: Target, step: str, unit: int) -> None:
        """Write that the target refused a statement that was announced: it left nothing that could be taken for its effect."""
        with target.transaction():
            self.assert_fence(target)
            target.execute(self._sql(_WITHDRAW), {**self._key(step), "unit": unit})

    def record_attempt(
        self, target: Target, step: str, unit: int, digest: str, *, attempts: int, waiting_since: datetime | None
    ) -> None:
        """Keep how often a unit was tried, so that the next slice goes on counting."""
        with target.transaction():
            self.assert_fence(target)
            self._record_open(target, step, unit, digest=digest, state="trying", attempts=attempts, since=waiting_since)

    def begin_step(self, target: Target, step: str, digest: str, *, is_recovery: bool, leaves_units: bool) -> Begun:
        """Write that a step begins, begins again, or goes on.

        ``leaves_units``: its units have rows of their own, so that the begin alone changed nothing.
        """
        with target.transaction():
            self.assert_fence(target)
            before = target.one(self._sql(_BEFORE), self._key(step))
            is_new = before is None or before["failed"] or is_recovery
            attempt = (before["attempts"] if before else 0) + (1 if is_new else 0)
            spent = (before["spent_ms"] if before else None) or 0.0
            self._record_open(target, step, 0, digest=digest, state="trying" if leaves_units else "intent", attempts=attempt)
        return Begun(attempt=attempt, is_new=is_new, spent_ms=spent)

    def leave_step(self, target: Target, step: str, spent_ms: float) -> None:
        """Keep how long a step was worked on that is not finished."""
        with target.transaction():
            self.assert_fence(target)
            target.execute(self._sql(_SPENT), {**self._key(step), "spent_ms": spent_ms})

    def fail_step(self, target: Target, step: str, error: str) -> None:
        """Write that a step failed and why, and begin to count its attempts from the start."""
        with target.transaction():
            self.assert_fence(target)
            target.execute(self._sql(_FORGET), self._key(step))
            target.execute(self._sql(_FAILED), {**self._key(step), "error": error})

    def finish_step(
        self, target: Target, step: str, digest: str, duration_ms: float, *, also: Callable[[Target], None] | None = None
    ) -> None:
        """Write that a step is finished, and ``also`` what belongs to it, in one transaction; may be repeated."""
        with target.transaction():
            self.assert_fence(target)
            if also is not None:
                also(target)
            values = {**self._key(step), "unit": 0, "digest": digest, "fence": self.fence, "duration_ms": duration_ms}
            target.execute(self._sql(_DONE), values)

    def touched_steps(self, target: Target, run: UUID) -> frozenset[str]:
        """The steps of a forward run of which anything may have taken effect."""
        return frozenset(row["step"] for row in target.all(self._sql(_TOUCHED), {"run": run}))

    def _record_open(
        self, target: Target, step: str, unit: int, *, digest: str, state: str, attempts: int, since: datetime | None = None
    ) -> None:
        values = {"unit": unit, "state": state, "digest": digest, "fence": self.fence, "attempts": attempts}
        target.execute(self._sql(_TRYING), {**self._key(step), **values, "waiting_since": since})

    def _key(self, step: str) -> Mapping[str, Any]:
        return {"run": self.run, "step": step, "direction": self.direction}

    def _sql(self, text: LiteralString) -> sql.Composed:
        return sql.SQL(text).format(schema=sql.Identifier(self.schema))
