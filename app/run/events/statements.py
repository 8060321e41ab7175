"""Events about statements and units of work on the target."""

from dataclasses import dataclass

from app.run.events.base import Decision, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementStarted(Event):
    """A statement was sent to the target."""

    step: str
    #: from 1, of ``of`` statements in the step
    index: int
    of: int
    sql: str
    #: the backend on the target that runs it
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFinished(Event):
    """A statement came back; it takes effect when its unit commits."""

    step: str
    index: int
    duration_ms: float
    #: rows it changed; -1 where PostgreSQL counts none
    changed_rows: int
    #: of the duration, what it waited for locks, sampled four times a second
    waited_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCommitted(Event):
    """A unit of work took effect together with its row in the ledger."""

    step: str
    unit: int
    of: int
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFoundDone(Decision):
    """The ledger on the target says that a unit had taken effect before; it was not done again."""

    step: str
    unit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LockNotGranted(Decision):
    """A lock was not granted in time; Headgate left the queue and tries again."""

    step: str
    attempt: int
    attempts: int
    waited_ms: float
    retry_in_ms: float
    #: one sentence per session that held the lock
    blockers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockerAwaited(Decision):
    """Headgate waits outside the lock queue until an old transaction is gone."""

    step: str
    blockers: tuple[str, ...]
    #: how long the step waits before it fails
    patience_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueYielded(Decision):
    """Others queued behind us for too long: the statement was cancelled and is tried again."""

    step: str
    #: how many sessions queued behind us
    waiting: int
    #: how long the statement had held its lock
    held_ms: float
    retry_in_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(Decision):
    """A unit was rolled back by an error that deserves another try."""

    step: str
    attempt: int
    attempts: int
    sqlstate: str | None
    message: str
    retry_in_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitReconciled(Decision):
    """A statement outside a transaction had begun and left no word; the catalog told whether it took effect."""

    step: str
    unit: int
    #: "done" (it had taken effect) or "again" (what it left was removed, it runs again)
    outcome: str
    #: what the catalog showed, in a sentence
    found: str
