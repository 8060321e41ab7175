"""Events about rows: backfills and backups."""

from dataclasses import dataclass

from app.run.events.base import Decision, Event


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
