"""Everything that can be said about a run, as typed records: past tense, units in the field names, a ``type`` stable for ever.

docs/events.md is generated from this module. Events are kept; gauges (below) are only the latest value.
"""

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any

from app.run.events.base import Decision, Event, Person
from app.run.events.control import (
    ControlAsked,
    ControlDeclined,
    ControlHandedOver,
    ControlReviewed,
    ControlTaken,
    SessionEndAsked,
    SessionEnded,
)
from app.run.events.data import (
    BackfillFinished,
    BackfillPlanned,
    BackfillSlowed,
    BackfillSpedUp,
    BackupFinished,
    BackupStarted,
    BatchCommitted,
    RowQuarantined,
    RowRecovered,
)
from app.run.events.gauge import Gauge
from app.run.events.runs import (
    RunCreated,
    RunFinished,
    RunStarted,
    RunTakenOver,
    SnapshotTaken,
    StateChanged,
    StatementCancelled,
    StopAsked,
    TargetFound,
    TargetLost,
    VerificationFinished,
)
from app.run.events.statements import (
    AttemptFailed,
    BlockerAwaited,
    LockNotGranted,
    QueueYielded,
    StatementFinished,
    StatementStarted,
    UnitCommitted,
    UnitFoundDone,
    UnitReconciled,
)
from app.run.events.steps import (
    CheckPassed,
    GateOpened,
    GateReached,
    HookCalled,
    StepFailed,
    StepFinished,
    StepNotUndone,
    StepRolledBack,
    StepSkipped,
    StepStarted,
    WaitStarted,
)

__all__ = [
    "EVENTS",
    "AttemptFailed",
    "BackfillFinished",
    "BackfillPlanned",
    "BackfillSlowed",
    "BackfillSpedUp",
    "BackupFinished",
    "BackupStarted",
    "BatchCommitted",
    "BlockerAwaited",
    "CheckPassed",
    "ControlAsked",
    "ControlDeclined",
    "ControlHandedOver",
    "ControlReviewed",
    "ControlTaken",
    "Decision",
    "Event",
    "GateOpened",
    "GateReached",
    "Gauge",
    "HookCalled",
    "LockNotGranted",
    "Person",
    "QueueYielded",
    "RowQuarantined",
    "RowRecovered",
    "RunCreated",
    "RunFinished",
    "RunStarted",
    "RunTakenOver",
    "SessionEndAsked",
    "SessionEnded",
    "SnapshotTaken",
    "StateChanged",
    "StatementCancelled",
    "StatementFinished",
    "StatementStarted",
    "StepFailed",
    "StepFinished",
    "StepNotUndone",
    "StepRolledBack",
    "StepSkipped",
    "StepStarted",
    "StopAsked",
    "TargetFound",
    "TargetLost",
    "UnitCommitted",
    "UnitFoundDone",
    "UnitReconciled",
    "VerificationFinished",
    "WaitStarted",
    "decode",
]


def _subclasses(cls: type[Event]) -> list[type[Event]]:
    found: list[type[Event]] = []
    for sub in cls.__subclasses__():
        found += [sub, *_subclasses(sub)]
    return found


def _is_current(cls: type[Event]) -> bool:
    """False for the class that a dataclass with slots replaced: it lives on among the subclasses until it is collected."""
    return getattr(sys.modules[cls.__module__], cls.__name__) is cls


#: Every event by its type; bases that only group others are left out.
EVENTS: dict[str, type[Event]] = {
    cls.type(): cls for cls in _subclasses(Event) if _is_current(cls) and cls not in (Person, Decision)
}


def decode(type_name: str, payload: Mapping[str, Any]) -> Event:
    """The event that was stored; fields that a newer Headgate wrote are left out.

    Raises KeyError where the type is unknown.
    """
    cls = EVENTS[type_name]
    known = {field.name for field in dataclasses.fields(cls)}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in payload.items() if name in known}
    return cls(**values)
