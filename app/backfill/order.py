"""What a backfill is asked to do, and by whom it may be disturbed: one value that step, command line and tests share."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.backfill.definition import BackfillDefinition
from app.clock import Clock
from app.run.events import Event, Gauge

#: Yields are safe points; the value at the end are the figures with the certificate.
BackfillRun = Generator[Event | Gauge, None, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillOrder:
    """Everything that a backfill needs from whoever drives it."""

    #: holds the password; never logged
    dsn: str = field(repr=False)
    schema: str
    #: whose fence in the ledger is honoured
    run: UUID
    #: the name of the checkpoint; the same in every attempt
    job: UUID
    #: grows with every taking of the run; a higher one ends all lower ones
    epoch: int
    #: the step's id, for its events
    step: str
    #: shown as application_name on the target
    purpose: str
    definition: BackfillDefinition
    clock: Clock
    rest: Callable[[float], None]
    #: a finished backfill tries the rows again that it had set aside
    tries_aside_again: bool = False
    #: how long a target that does not answer is waited for
    patience_seconds: float = 600.0
    #: ``profile`` and ``max_rate`` as people want them now; asked several times a second
    speed: Callable[[], Mapping[str, Any]] = dict
    #: tells a heartbeat which backend runs a statement that may take seconds, so that it can cancel it
    watch: Callable[[int | None, str | None], None] = lambda _pid, _statement: None
