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
    server_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTakenOver(Decision):
    """Another worker took the run over, since the one before was silent for longer than its lease."""

    worker: str
    fence: int
    previous_worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged(Event):
    """The run moved by a row of the table in app/run/states.py."""

    group: ClassVar[str] = "state"
    source: str
    move: str
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

    away_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAsked(Person):
    """A person asked the run to pause or to cancel."""

    #: "pause" or "cancel"
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

    passed: int
    failed: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotTaken(Event):
    """Figures of pg_stat were kept for a window of the watch."""

    window: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """The run came to an end."""

    group: ClassVar[str] = "state"
    state: str
    seconds: float
    message: str = ""
