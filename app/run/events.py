"""Everything that can be said about a run, as typed records: past tense, units in the field names, a ``type`` stable for ever.

docs/events.md is generated from this module. Events are kept; gauges (below) are only the latest value.
"""

import dataclasses
import re
from collections.abc import Mapping
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
    """A rollback run left a step as it is, and why."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementStarted(Event):
    """A statement was sent to the target."""

    step: str
    #: from 1, of ``of`` statements in the step
    index: int
    of: int
    sql: str
    #: the backend on the target that runs it
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFinished(Event):
    """A statement came back; it takes effect when its unit commits."""

    step: str
    index: int
    duration_ms: float
    #: rows it changed; -1 where PostgreSQL counts none
    changed_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCommitted(Event):
    """A unit of work took effect together with its row in the ledger."""

    step: str
    unit: int
    of: int
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFoundDone(Decision):
    """The ledger on the target says that a unit had taken effect before; it was not done again."""

    step: str
    unit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LockNotGranted(Decision):
    """A lock was not granted in time; Headgate left the queue and tries again."""

    step: str
    attempt: int
    attempts: int
    waited_ms: float
    retry_in_ms: float
    #: one sentence per session that held the lock
    blockers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockerAwaited(Decision):
    """Headgate waits outside the lock queue until an old transaction is gone."""

    step: str
    blockers: tuple[str, ...]
    patience_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueYielded(Decision):
    """Others queued behind us for too long: the statement was cancelled and is tried again."""

    step: str
    waiting: int
    held_ms: float
    retry_in_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(Decision):
    """A unit was rolled back by an error that deserves another try."""

    step: str
    attempt: int
    attempts: int
    sqlstate: str | None
    message: str
    retry_in_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitReconciled(Decision):
    """A statement outside a transaction had begun and left no word; the catalog told whether it took effect."""

    step: str
    unit: int
    #: "done" (it had taken effect) or "again" (what it left was removed, it runs again)
    outcome: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillPlanned(Decision):
    """How the rows will be walked, and why."""

    step: str
    table: str
    strategy: str
    reasons: tuple[str, ...]
    passes: int
    shards: int
    estimated_rows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCommitted(Event):
    """Batches took effect together with their checkpoint (at most two such events a second are kept)."""

    step: str
    batches: int
    rows_changed: int
    batch_rows: int
    batch_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillSlowed(Decision):
    """A signal passed its limit; the batches were made smaller or stopped."""

    step: str
    signal: str
    value: float
    limit: float
    #: of ``value`` and ``limit``: "s", "rows", ...
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillSpedUp(Decision):
    """The signals are calm again."""

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowQuarantined(Decision):
    """A row that can't be updated was set aside, and why."""

    step: str
    key: str
    sqlstate: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillFinished(Event):
    """The last sweep found nothing left to do."""

    step: str
    rows_changed: int
    rows_scanned: int
    batches: int
    seconds: float
    #: True where an earlier attempt had done a part
    resumed: bool
    quarantined: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPassed(Event):
    """A check returned what the plan expects."""

    step: str
    found: str
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReached(Event):
    """The run waits for a person."""

    step: str
    ask: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOpened(Person):
    """A person confirmed."""

    step: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HookCalled(Event):
    """An address outside was called and answered as expected."""

    step: str
    url: str
    status: int
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStarted(Event):
    """The plan says to wait."""

    step: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupStarted(Event):
    """pg_dump began."""

    step: str
    #: size of what is dumped, as the target counts it
    source_bytes: int
    tables: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFinished(Event):
    """A backup was written, hashed and listed by pg_restore."""

    step: str
    path: str
    size_bytes: int
    sha256: str
    entries: int
    seconds: float


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """The latest figures of the step that runs now; each replaces the one before and none is kept."""

    step: str
    #: 0 to 1, or None where nothing honest can be said
    fraction: float | None = None
    rows_done: int | None = None
    rows_total: int | None = None
    rows_per_second: float | None = None
    #: low and high estimate of the seconds that are left
    eta_seconds: tuple[float, float] | None = None
    #: what is going on, in words: "sorting live tuples (no counter in PostgreSQL)"
    phase: str = ""
    #: where fraction and phase come from: "pg_stat_progress_create_index", "checkpoint", "file size"
    source: str = ""
    pid: int | None = None
    statement: str | None = None
    #: one sentence per session that blocks us, and per session that waits for us
    blocked_by: tuple[str, ...] = ()
    blocking: tuple[str, ...] = ()
    #: name -> {"value": 0.4, "limit": 5, "unit": "s", "state": "ok|slowing|stopping|unknown"}
    signals: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    batch_rows: int | None = None
    batch_ms: float | None = None
    throttled_seconds: float | None = None
    bytes_done: int | None = None
    bytes_total: int | None = None

    def payload(self) -> dict[str, Any]:
        """The fields as JSON values, without those that are not known."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value not in (None, "", (), {})}


def _subclasses(cls: type[Event]) -> list[type[Event]]:
    found: list[type[Event]] = []
    for sub in cls.__subclasses__():
        found += [sub, *_subclasses(sub)]
    return found


#: Every event by its type; bases that only group others are left out.
EVENTS: dict[str, type[Event]] = {cls.type(): cls for cls in _subclasses(Event) if cls not in (Person, Decision)}


def decode(type_name: str, payload: Mapping[str, Any]) -> Event:
    """The event that was stored; fields that a newer Headgate wrote are left out.

    Raises KeyError where the type is unknown.
    """
    cls = EVENTS[type_name]
    known = {field.name for field in dataclasses.fields(cls)}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in payload.items() if name in known}
    return cls(**values)
