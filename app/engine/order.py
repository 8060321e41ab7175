"""What the engine is asked to do, and what it answers after a slice: values that worker, rehearsal and command line share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.backfill.ledger import Direction
from app.errors import HeadgateError
from app.plan.model import Plan
from app.run.journal import Ask
from app.steps.protocol import LockPolicy, run_label


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """One run as one holder drives it."""

    #: the same for every holder: what the ledger's rows are keyed by
    key: UUID
    #: the number shown to people, 0 on the command line
    number: int
    plan: Plan
    direction: Direction
    #: holds the password; never logged
    dsn: str = field(repr=False)
    fence: int
    ledger_schema: str = "headgate"
    locks: LockPolicy = field(default_factory=LockPolicy)
    #: what Headgate's own database calls finished: the ledger must know of all of it
    steps_done: frozenset[str] = frozenset()
    #: the steps of which it also has what they kept of their work; None where nobody keeps a book beside the ledger
    results_kept: frozenset[str] | None = None
    skipped: frozenset[str] = frozenset()
    opened_gates: Mapping[str, str] = field(default_factory=dict)
    #: kind-specific things of the edges; ``with_last_unit`` maps a step to what is written with its last unit
    options: Mapping[str, Any] = field(default_factory=dict)
    #: rollback: the steps to undo; None means every step that took effect
    rollback_scope: frozenset[str] | None = None
    #: rollback: the key of the run that is undone; None means that every step in scope took effect
    forward_key: UUID | None = None
    lease_seconds: float = 15.0

    @property
    def label(self) -> str:
        """What the run's sessions on the target are named by."""
        return run_label(self.number, self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Every step is done (or undone)."""

    #: step -> what its kind keeps, of the steps that ended in this slice
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceEnded:
    """The time of this slice is over; there is more to do."""

    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingGate:
    """A person has to confirm."""

    step: str
    reason: str
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTime:
    """Nothing to do before a moment."""

    step: str
    until: datetime
    reason: str
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopReached:
    """Stopped between two units, as a person asked; nothing is half done."""

    ask: Ask
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed:
    """A step failed; its unit was rolled back, earlier units stay done."""

    #: "" where it failed before the first step
    step: str
    error: HeadgateError
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetAway:
    """The target does not answer, or another run holds it; the ledger there will tell what took effect."""

    error: HeadgateError
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fenced:
    """Another worker holds the run; nothing more is done, said or written."""


SliceResult = Finished | SliceEnded | WaitingGate | WaitingTime | StopReached | StepFailed | TargetAway | Fenced
