"""The phases of the statements that PostgreSQL counts, and the share of the time that each usually takes.

Shares of index builds were measured on PostgreSQL 14 to 18 with a million rows; those of a rehearsal of the same statement
are better.
"""

from collections.abc import Mapping
from typing import Any

#: (name of the phase, share of the time), in order
Phases = tuple[tuple[str, float], ...]

_CREATE_INDEX: Phases = (
    ("initializing", 0.0),
    ("building index: scanning table", 0.55),
    ("building index: sorting live tuples", 0.22),
    ("building index: sorting dead tuples", 0.0),
    ("building index: loading tuples in tree", 0.23),
)
_CREATE_INDEX_CONCURRENTLY: Phases = (
    ("initializing", 0.0),
    ("waiting for writers before build", 0.0),
    ("building index: scanning table", 0.46),
    ("building index: sorting live tuples", 0.2),
    ("building index: sorting dead tuples", 0.0),
    ("building index: loading tuples in tree", 0.2),
    ("waiting for writers before validation", 0.0),
    ("index validation: scanning index", 0.06),
    ("index validation: sorting tuples", 0.03),
    ("index validation: scanning table", 0.05),
    ("waiting for old snapshots", 0.0),
    ("waiting for readers before marking dead", 0.0),
    ("waiting for readers before dropping", 0.0),
)
_PARALLEL_GIN: Phases = (
    ("initializing", 0.0),
    ("building index: scanning table", 0.85),
    ("building index: merging tuples (workers)", 0.03),
    ("building index: sorting tuples", 0.03),
    ("building index: merging tuples", 0.09),
)
#: GiST, BRIN, hash, and GIN before 18
_ONE_PHASE: Phases = (("building index", 1.0),)
_CLUSTER: Phases = (
    ("initializing", 0.0),
    ("seq scanning heap", 0.45),
    ("index scanning heap", 0.45),
    ("sorting tuples", 0.0),
    ("writing new heap", 0.0),
    ("swapping relation files", 0.05),
    ("rebuilding index", 0.45),
    ("performing final cleanup", 0.05),
)
_VACUUM: Phases = (
    ("initializing", 0.0),
    ("scanning heap", 0.6),
    ("vacuuming indexes", 0.2),
    ("vacuuming heap", 0.15),
    ("cleaning up indexes", 0.03),
    ("truncating heap", 0.01),
    ("performing final cleanup", 0.01),
)
_ANALYZE: Phases = (
    ("initializing", 0.0),
    ("acquiring sample rows", 0.8),
    ("acquiring inherited sample rows", 0.1),
    ("computing statistics", 0.1),
    ("computing extended statistics", 0.0),
    ("finalizing analyze", 0.0),
)
_COPY: Phases = ((None, 1.0),)  # type: ignore[assignment]  # COPY has no phases: its only one has no name

WAITING = frozenset(name for name, _ in _CREATE_INDEX_CONCURRENTLY if name.startswith("waiting"))


def phases_for(source: str, figures: Mapping[str, Any]) -> Phases:
    """The phases of the statement that a row of a progress view belongs to."""
    if source != "pg_stat_progress_create_index":
        return {
            "pg_stat_progress_cluster": _CLUSTER,
            "pg_stat_progress_vacuum": _VACUUM,
            "pg_stat_progress_analyze": _ANALYZE,
            "pg_stat_progress_copy": _COPY,
        }[source]
    phase = figures["phase"]
    usual = _CREATE_INDEX_CONCURRENTLY if "CONCURRENTLY" in (figures.get("command") or "") else _CREATE_INDEX
    if phase in dict(usual):
        return usual
    return _PARALLEL_GIN if phase in dict(_PARALLEL_GIN) else _ONE_PHASE


def phase_fraction(source: str, figures: Mapping[str, Any], estimated_rows: float | None) -> float | None:
    """How much of its phase is done, 0 to 1; None where PostgreSQL does not count it."""
    done, total = _counters(source, figures, estimated_rows)
    return None if done is None or not total else max(0.0, min(1.0, done / total))


_NOT_COUNTED = (None, None)
_Counters = tuple[float | None, float | None]


def _counters(source: str, figures: Mapping[str, Any], estimated_rows: float | None) -> _Counters:
    """Done and total of the phase that the row is in."""
    phase = figures.get("phase") or ""
    if source == "pg_stat_progress_copy":
        in_bytes = (figures.get("bytes_processed"), figures.get("bytes_total"))
        return in_bytes if figures.get("bytes_total") else (figures.get("tuples_processed"), estimated_rows)
    columns = _counted(source, phase)
    return (figures[columns[0]], figures[columns[1]]) if columns else _NOT_COUNTED


def _counted(source: str, phase: str) -> tuple[str, str] | None:
    """The columns that count a phase."""
    if source == "pg_stat_progress_create_index":
        if "loading" in phase or "merging" in phase:
            return "tuples_done", "tuples_total"
        return ("blocks_done", "blocks_total") if "scanning" in phase or phase == "building index" else None
    return {
        ("pg_stat_progress_analyze", "acquiring sample rows"): ("sample_blks_scanned", "sample_blks_total"),
        ("pg_stat_progress_analyze", "acquiring inherited sample rows"): ("sample_blks_scanned", "sample_blks_total"),
        ("pg_stat_progress_cluster", "seq scanning heap"): ("heap_blks_scanned", "heap_blks_total"),
        ("pg_stat_progress_vacuum", "scanning heap"): ("heap_blks_scanned", "heap_blks_total"),
        ("pg_stat_progress_vacuum", "vacuuming heap"): ("heap_blks_vacuumed", "heap_blks_total"),
    }.get((source, phase))


def words_for(phase: str | None, figures: Mapping[str, Any], part: float | None) -> str:
    """What the statement is doing, for a person."""
    if phase is None:
        return "copying rows"
    if phase in WAITING:
        done, total, pid = figures.get("lockers_done"), figures.get("lockers_total"), figures.get("current_locker_pid")
        return f"{phase}: {done} of {total} done" + (f", now session {pid}" if pid else "")
    total = figures.get("partitions_total")
    partition = f" (partition {figures['partitions_done'] + 1} of {total})" if total else ""
    uncounted = "" if part is not None or phase == "initializing" else " (no counter in PostgreSQL)"
    return phase.removeprefix("building index: ") + partition + uncounted
