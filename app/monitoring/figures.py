"""What a snapshot of pg_stat_* holds, as frozen records with JSON values; times are ISO 8601, None means unknown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.catalog.encoding import from_json, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """Since when the counters count; where two epochs differ, counters may have begun again."""

    server_started: str
    background_reset: str | None = None
    wal_reset: str | None = None
    database_reset: str | None = None
    system_identifier: str = ""
    timeline: int = 0
    database_oid: int = 0
    #: of pg_stat_statements; None where it is not there
    statements_reset: str | None = None
    #: how often rare statements were thrown away for want of room
    evictions: int = 0
    entries: int = 0
    max_entries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFigures:
    """One statement, the sum of all its entries; counters are cumulative since the epoch."""

    key: str
    query: str
    calls: int
    total_ms: float
    #: calls * (stddev^2 + mean^2): what variances of intervals are taken from
    squares: float
    rows: int
    #: shared blocks, found in memory and read
    blocks: int
    blocks_read: int = 0
    temp_blocks: int = 0
    wal_bytes: int = 0
    max_ms: float = 0.0
    #: False for a statement of the control group
    touches: bool = True
    #: seconds since 1970 from which the oldest entry counts (17+)
    since: float | None = None
    is_parsed: bool = True
    query_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFigures:
    """One table of the plan."""

    name: str
    estimated_rows: float
    live_rows: int
    dead_rows: int
    sequential_scans: int
    sequential_rows: int
    index_scans: int
    rows_inserted: int
    rows_updated: int
    rows_deleted: int
    rows_updated_hot: int
    blocks_read: int
    blocks_hit: int
    vacuum_at_dead_rows: float
    xid_age: int = 0
    last_vacuum: str | None = None
    last_analyze: str | None = None
    #: None where it was being altered
    table_bytes: int | None = None
    indexes_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFigures:
    """One index of a table of the plan."""

    name: str
    relation: str
    #: another number means another counter
    counter: int
    scans: int
    is_unique: bool = False
    is_valid: bool = True
    is_building: bool = False
    serves_constraint: bool = False
    last_scan: str | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that one look found."""

    taken_at: str
    version_num: int
    epoch: Epoch
    relations: tuple[str, ...] = ()
    #: views that read them
    views: tuple[str, ...] = ()
    statements: tuple[StatementFigures, ...] = ()
    tables: Mapping[str, TableFigures] = field(default_factory=dict)
    indexes: Mapping[str, IndexFigures] = field(default_factory=dict)
    #: counters and sizes of the database, and sessions; keys as in queries/vitals.sql, and database_bytes
    database: Mapping[str, Any] = field(default_factory=dict)
    #: False where there is no pg_stat_statements
    has_statements: bool = False
    #: entries whose text this role may not see
    hidden_statements: int = 0
    #: of all statements about data, those not kept here included
    total_calls: int = 0
    total_ms: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The snapshot as JSON values."""
        return to_json(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Snapshot":
        """The snapshot that ``as_json`` wrote."""
        return from_json(cls, content)
