"""What every step kind promises: to run as a generator of events, each yield a safe point, and to resume from the ledger."""

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable
from uuid import UUID

from app.clock import Clock
from app.plan.model import Step
from app.run.events import Event, Gauge
from app.target.parking import Parking
from app.target.session import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The step took effect; ``result`` is kept with the run's step (figures, the backup's path, ...)."""

    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The step can't go on now; the driver lets go of the run and comes back."""

    #: "gate" waits for a person, "time" until ``until``
    on: Literal["gate", "time"]
    reason: str
    until: datetime | None = None


Outcome = Done | Waiting
#: Yields are safe points: the driver keeps the event, renews the lease, and may close the generator there for good.
StepRun = Generator[Event | Gauge, None, Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockPolicy:
    """How long we may stand in a lock queue, and how often we try; per target, and per step where the step says so."""

    #: for one lock, and for all locks of a statement together; the first attempts ask for less (app/steps/retry.py)
    lock_timeout_ms: int = 2000
    #: how long one statement may take, its waits included; 0 means none
    statement_timeout_ms: int = 0
    #: how long one transaction may take, where the server has transaction_timeout (PostgreSQL 17); 0 means none
    transaction_timeout_ms: int = 0
    attempts: int = 30
    #: first rest between attempts; doubles with full jitter up to ``longest_rest_ms``
    first_rest_ms: int = 500
    longest_rest_ms: int = 30_000
    #: how long to wait outside the queue for an old transaction to end
    patience_ms: int = 600_000
    #: what those who queue behind us may wait, all together, before we cancel and try again
    queue_tolerance_ms: int = 3000
    #: so many sessions behind us are too many in any case; 0 means that only the time counts
    queue_sessions: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """Why the heartbeat cancelled the statement in flight."""

    #: "ask": a person wants to stop; "queue": others waited behind us for too long; "locks": the statement waited too long
    #: for its locks, all of them together; "lease": another worker holds the run
    reason: Literal["ask", "queue", "locks", "lease"]
    #: the backend that ran it
    pid: int = 0
    #: how many sessions waited behind us, and the longest of them
    waiting: int = 0
    held_ms: float = 0.0
    #: False where the statement still waited for a lock itself: then nothing but the wait is lost
    held_a_lock: bool = True


class Watch(Protocol):
    """Tells the heartbeat which backend runs a statement now (None: none), so that it can watch and cancel it."""

    def __call__(self, pid: int | None, statement: str | None, /, *, gives_way: bool = False, lock_deadline_ms: int = 0) -> None:
        """``gives_way``: cancel the statement when others queue behind it for longer than the policy allows.

        ``lock_deadline_ms``: cancel it when it has waited for so long for its locks, all of them together; 0 means never.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """What a step may use while it runs."""

    #: the same in every attempt and for every worker: what the ledger's rows are keyed by
    run: UUID
    #: the number shown to people, 0 on the command line
    run_number: int
    fence: int
    step: Step
    #: from 1
    position: int
    direction: Literal["forward", "rollback"]
    #: opened by the step itself with app.target.session.Target.connect(dsn, purpose=...); never logged
    dsn: str
    ledger_schema: str
    locks: LockPolicy
    clock: Clock
    #: waits for so many seconds, or less when somebody asks to stop; the next yield is then the end
    rest: Callable[[float], None]
    watch: Watch
    #: why the last watched statement was cancelled by us, or None where somebody else did it
    interrupted: Callable[[], Interruption | None] = lambda: None
    #: how long the last watched statement waited for locks, in milliseconds, as sampled
    waited_ms: Callable[[], float] = lambda: 0.0
    #: True where the holder of the run before us ended without letting go
    is_recovery: bool = False
    #: gates that were opened, by step id, with the note
    opened_gates: Mapping[str, str] = field(default_factory=dict)
    #: kind-specific things that the edges hand in ("backups", "speed", ...)
    options: Mapping[str, Any] = field(default_factory=dict)

    #: sessions that earlier steps of this slice are done with; None: each step opens its own
    parking: Parking | None = None

    @property
    def run_label(self) -> str:
        """What the run's sessions on the target are named by."""
        return run_label(self.run_number, self.run)

    def connect(self, *, ends_with_client: bool = True) -> AbstractContextManager[Target]:
        """A session on the target, named after run and step.

        Raises TargetUnreachableError.
        """
        purpose = f"run {self.run_label} step {self.position}"
        if self.parking is None:
            return Target.connect(self.dsn, purpose=purpose, ends_with_client=ends_with_client)
        return self.parking.session(purpose, ends_with_client=ends_with_client)


def run_label(number: int, key: UUID) -> str:
    """``128``, or the beginning of the key on the command line, where runs have no number."""
    return str(number) if number else key.hex[:8]


class StepKind(Protocol):
    """A kind of step; stateless, one instance in app/steps/registry.py."""

    name: str

    def describe(self, step: Step) -> str:
        """One plain sentence: what the step does, for reviewers."""
        ...

    def run(self, context: StepContext) -> StepRun:
        """Do the step, or what is left of it according to the ledger on the target."""
        ...


@runtime_checkable
class OneUnit(Protocol):
    """A kind whose work can't be cut in slices (a dump): the driver does not let go at a slice's end, only when asked to stop."""

    is_one_unit: bool


@runtime_checkable
class Undoable(Protocol):
    """A kind that can be undone by more than the plan's rollback SQL."""

    def undo(self, context: StepContext) -> StepRun:
        """Undo what the ledger says was done."""
        ...
