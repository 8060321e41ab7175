"""The one port between the engine and whoever keeps its words: Headgate's own database, a terminal, or a test's diary."""

from typing import Literal, Protocol

from app.errors import HeadgateError
from app.run.events import Event, Gauge

#: What a person may ask of a running run; "fenced" means that another worker holds it now.
Ask = Literal["pause", "cancel"]


class LeaseLostError(HeadgateError):
    """Another worker holds this run now: stop at once, and commit nothing more."""

    status = 409


class Journal(Protocol):
    """Where a run's events go, and where its driver learns what people ask. Every method may raise LeaseLostError."""

    def record(self, *events: Event) -> None:
        """Keep events in order, in one transaction, and renew the lease with it."""
        ...

    def gauge(self, gauge: Gauge) -> None:
        """Show the latest figures; may be dropped when they come faster than twice a second."""
        ...

    def heartbeat(self) -> Ask | None:
        """Renew the lease and say what was asked; called from another thread while one statement runs."""
        ...

    def asked(self) -> Ask | None:
        """What was asked, as of the last look (at most a second old)."""
        ...
