"""Events about rows: backfills and backups."""

from dataclasses import dataclass

from app.run.events.base import Decision, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillPlanned(Decision):
    """How the rows will be walked, and why."""

    step: str
    table: str
    #: "windows" (of pages), "keyset", or both where parts of the table differ
    strategy: str
    #: why this walk, one sentence each
    reasons: tuple[str, ...]
    #: how often the table is gone over
    passes: int
    #: into how many parts it is split, walked side by side
    shards: int
    #: rows that are expected to match; nothing is counted for it
    estimated_rows: int | None
    #: update, delete or copy
    action: str = "update"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCommitted(Event):
    """Batches took effect together with their checkpoint (at most two such events a second are kept)."""

    step: str
    #: how many since the event before
    batches: int
    #: by these batches together
    rows_changed: int
    #: the last batch's size
    batch_rows: int
    #: how long the last batch took
    batch_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillSlowed(Decision):
    """A signal passed its limit; the batches were made smaller or stopped."""

    step: str
    #: which one, by its name in app/backfill/signals.py
    signal: str
    #: what was measured
    value: float
    #: what it may be at most
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
    #: its key in the table, as text
    key: str
    sqlstate: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRecovered(Decision):
    """A row that had been set aside was tried again, and was done this time."""

    step: str
    #: its key in the table, as text
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillFinished(Event):
    """The last sweep found nothing left to do."""

    step: str
    #: by every attempt together
    rows_changed: int
    #: rows that were looked at
    rows_scanned: int
    #: how many were committed
    batches: int
    seconds: float
    #: true where an earlier attempt had done a part
    resumed: bool
    #: rows that were set aside
    quarantined: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupStarted(Event):
    """pg_dump began."""

    step: str
    #: size of what is dumped, as the target counts it
    source_bytes: int
    #: how many are dumped
    tables: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFinished(Event):
    """A backup was written, hashed and listed by pg_restore."""

    step: str
    #: where it lies on the machine of the worker
    path: str
    #: of the artifact
    size_bytes: int
    #: of the artifact, hexadecimal
    sha256: str
    #: how many its table of contents has
    entries: int
    seconds: float
