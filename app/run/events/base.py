"""What every event is: a frozen record with a stable type, and who or what caused it."""

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened."""

    #: what the page may filter by: work, decision (Headgate chose), person, state
    group: ClassVar[str] = "work"

    @classmethod
    def type(cls) -> str:
        """The stable name: the class's own in snake case."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def payload(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(Event):
    """An event that a person caused."""

    group: ClassVar[str] = "person"
    #: the person's name, or "headgate" where nobody is signed in (command line)
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Event):
    """An event in which Headgate chose by itself."""

    group: ClassVar[str] = "decision"
