"""Events about who drives a run, and about sessions on its target that people had ended."""

from dataclasses import dataclass

from app.run.events.base import Event, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlAsked(Person):
    """A person asked the one who drives the run for its control."""

    #: why, in the person's words
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlDeclined(Person):
    """The one who drives the run keeps it."""

    #: who asked for it
    person: str
    #: what the driver said
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlHandedOver(Person):
    """The one who drove the run handed it over."""

    #: who drives it now
    person: str
    #: what the driver said
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlTaken(Person):
    """A person took the control of the run without being given it; somebody else reviews that."""

    #: who drove it before
    person: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlReviewed(Person):
    """Somebody else looked at a control that was taken."""

    #: who had taken it
    person: str
    #: what is to be said of it
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEndAsked(Person):
    """A person asked to end a session that stands in the run's way."""

    pid: int
    #: when that backend began: with the pid it names the session for good
    backend_start: str
    #: what was seen of the session
    session: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    """What came of the wish to end a session."""

    pid: int
    #: "ended", "gone" (it had ended already), or "refused"
    outcome: str
    message: str = ""
