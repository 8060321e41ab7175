"""Events about a run as a whole."""

from dataclasses import dataclass
from typing import ClassVar

from app.run.events.base import Decision, Event, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCreated(Person):
    """A person asked for the run."""

    plan: str
    digest: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A worker began to drive the run."""

    worker: str
    fence: int
    #: the target's PostgreSQL: "18.1"
    server_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTakenOver(Decision):
    """Another worker took the run over, since the one before was silent for longer than its lease."""

    worker: str
    fence: int
    #: the one that was silent
    previous_worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged(Event):
    """The run moved by a row of the table in app/run/states.py."""

    group: ClassVar[str] = "state"
    #: the state before
    source: str
    #: the move's name in that table
    move: str
    #: the state now
    target: str
    reason: str
    #: the person who asked; empty where it moved by itself
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLost(Event):
    """The target does not answer."""

    message: str
    retry_in_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFound(Event):
    """The target answers again."""

    #: since it was lost
    away_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAsked(Person):
    """A person asked the run to pause, to cancel, or to abort: to stop and be rolled back."""

    #: "pause", "cancel" or "abort"
    what: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementCancelled(Decision):
    """The statement in flight was cancelled on the server, since a person asked to stop."""

    step: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationFinished(Event):
    """The result was compared with what was planned."""

    #: how many expectations hold
    passed: int
    #: how many do not
    failed: int
    #: how many could not be told
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotTaken(Event):
    """Figures of pg_stat were kept for a window of the watch."""

    #: "now" (right after the run), "1h", "24h" or "1w"
    window: str
    #: "fine", "watch", "worse" or "unknown"
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """The run came to an end."""

    group: ClassVar[str] = "state"
    #: the state in which it ended
    state: str
    seconds: float
    message: str = ""
