"""The latest figures of the running step: shown, replaced, never kept."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """The latest figures of the step that runs now; each replaces the one before and none is kept."""

    step: str
    #: 0 to 1, or None where nothing honest can be said
    fraction: float | None = None
    #: rows changed so far
    rows_done: int | None = None
    #: an estimate of all that match
    rows_total: int | None = None
    #: over the last seconds
    rows_per_second: float | None = None
    #: low and high estimate of the seconds that are left
    eta_seconds: tuple[float, float] | None = None
    #: what is going on, in words: "sorting live tuples (no counter in PostgreSQL)"
    phase: str = ""
    #: where fraction and phase come from: "pg_stat_progress_create_index", "checkpoint", "file size"
    source: str = ""
    pid: int | None = None
    statement: str | None = None
    #: one sentence per session that blocks us
    blocked_by: tuple[str, ...] = ()
    #: one sentence per session that waits for us
    blocking: tuple[str, ...] = ()
    #: those of ``blocked_by`` that an operator may end: {"pid": 7, "backend_start": "2026-03-02T09:00:00Z", "session": "..."}
    blocker_sessions: tuple[Mapping[str, Any], ...] = ()
    #: name -> {"value": 0.4, "limit": 5, "unit": "s", "state": "ok|slowing|stopping|unknown"}
    signals: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    #: the size of the last batch
    batch_rows: int | None = None
    #: how long the last batch took
    batch_ms: float | None = None
    #: how long Headgate held back in all
    throttled_seconds: float | None = None
    #: written to the backup so far
    bytes_done: int | None = None
    #: of the tables that are backed up; the artifact is smaller, being compressed
    bytes_total: int | None = None

    def payload(self) -> dict[str, Any]:
        """The fields as JSON values, without those that are not known."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value not in (None, "", (), {})}
