"""What scripts rely on (docs/contract.md): the number that every JSON document carries, and an event as one object."""

from datetime import UTC, datetime
from typing import Any

from app.run.events import Event

#: grows when something is changed or removed; what is added leaves it as it is
CONTRACT = 1


def event_line(number: int, at: datetime, event: Event) -> dict[str, Any]:
    """An event as it is printed and sent."""
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"contract": CONTRACT, "number": number, "at": moment, "type": event.type(), **event.payload()}
