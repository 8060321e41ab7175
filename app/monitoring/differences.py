"""What two looks say when they are held against each other, as frozen records with JSON values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from app.catalog.encoding import from_json


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementDifference:
    """One statement that touches the plan's tables, before and after."""

    key: str
    query: str
    #: "new": not seen before; "gone": seen often before, never after
    presence: Literal["both", "new", "gone"]
    calls_before: int = 0
    calls_after: int = 0
    mean_before_ms: float | None = None
    mean_after_ms: float | None = None
    #: mean after : mean before, corrected by the control factor
    ratio: float | None = None
    #: how many standard errors the corrected difference is from zero
    t: float | None = None
    #: corrected difference of the means
    delta_ms: float | None = None
    #: blocks per call after : before; hardware has no say in it
    blocks_ratio: float | None = None
    #: what the difference adds, in ms of database time per second
    added_load: float | None = None
    #: calls per second after : before
    call_rate_ratio: float | None = None
    #: of the time that the tables' statements took before, the share that was this one's
    share_before: float = 0.0
    total_after_ms: float = 0.0
    new_max_ms: float | None = None
    temp_blocks_after: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDifference:
    """One table before and after; rates are per second, None where they are not known."""

    name: str
    bytes_before: int | None
    bytes_after: int | None
    indexes_before: int | None
    indexes_after: int | None
    rows_after: float
    dead_rows_after: int
    vacuum_at_dead_rows: float
    last_vacuum: str | None
    sequential_scans: int | None
    index_scans: int | None
    rows_written: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDifference:
    """One index before and after."""

    name: str
    relation: str
    presence: Literal["both", "new", "gone"]
    #: since the first look, or since it was made; None where counters were lost
    scans: int | None
    scans_before: int | None
    bytes: int | None
    is_valid: bool
    is_building: bool
    #: it is there for a constraint, whether it is used or not
    is_exempt: bool
    last_scan: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseDifference:
    """The whole database: rates of the interval before (None without one) and of the interval after."""

    commits_before: float | None
    commits_after: float
    transactions_before: int | None
    transactions_after: int
    rollbacks_before: int | None
    rollbacks_after: int
    deadlocks_before: int | None
    deadlocks_after: int
    fatal_after: int
    bytes_before: int | None
    bytes_after: int | None
    connections: int | None
    connections_usable: int | None
    lock_waiters: int | None
    oldest_transaction_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything that two looks say together."""

    before_at: str
    after_at: str
    seconds_before: float | None
    seconds_after: float
    has_statements: bool
    control_factor: float
    control_size: int
    #: of the time that the tables' statements took before, the share of those that were seen again
    coverage: float | None
    notes: tuple[str, ...] = ()
    statements: tuple[StatementDifference, ...] = ()
    tables: Mapping[str, TableDifference] = field(default_factory=dict)
    indexes: Mapping[str, IndexDifference] = field(default_factory=dict)
    database: DatabaseDifference | None = None

    def as_json(self) -> dict[str, Any]:
        """The comparison as JSON values; nothing is left out."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Comparison":
        """The comparison that ``as_json`` wrote."""
        return from_json(cls, content)
