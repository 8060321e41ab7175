"""Events about a step, and what the kinds without SQL of their own say."""

from dataclasses import dataclass

from app.run.events.base import Decision, Event, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Event):
    """A step began, or began again."""

    step: str
    kind: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Event):
    """A step is done."""

    step: str
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed(Event):
    """A step failed; its unit was rolled back, earlier units stay done."""

    step: str
    message: str
    sqlstate: str | None = None
    detail: str | None = None
    hint: str | None = None
    statement: str | None = None
    #: characters from the statement's start, from 1, where the server names one
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped(Person):
    """A person decided to go on without a step."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRolledBack(Event):
    """A step was undone by a rollback run."""

    step: str
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepNotUndone(Decision):
    """A rollback run stopped at a step that can't be undone, and why."""

    step: str
    reason: str
    #: the steps before it, which stay done
    remains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPassed(Event):
    """A check returned what the plan expects."""

    step: str
    #: what it returned, as text
    found: str
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReached(Event):
    """The run waits for a person."""

    step: str
    #: what the person has to confirm
    ask: str
    #: who is asked, as the plan says; empty for anybody with the right
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOpened(Person):
    """A person confirmed."""

    step: str
    #: what the person wrote; may be empty
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HookCalled(Event):
    """An address outside was called and answered as expected."""

    step: str
    #: without user, password and query
    url: str
    #: the HTTP status
    status: int
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStarted(Event):
    """The plan says to wait."""

    step: str
    #: ISO 8601, UTC
    until: str
