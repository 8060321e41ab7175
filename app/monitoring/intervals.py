"""What happened between two looks at counters that grow, unless they were reset, the server crashed, or an entry was evicted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.monitoring.figures import Epoch, Snapshot, StatementFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One statement in one interval."""

    query: str
    calls: int
    total_ms: float
    mean_ms: float
    stddev_ms: float
    rows: int
    blocks_per_call: float
    temp_blocks: int
    #: "a call took this long in the interval", where that is certain; else None
    new_max_ms: float | None
    touches: bool
    #: not "" where the entry began anew within the interval
    note: str = ""
    is_parsed: bool = True


def seconds_between(earlier: str, later: str) -> float:
    """The seconds from one ISO 8601 time to another, at least a thousandth."""
    return max(0.001, (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds())


def epoch_changes(before: Epoch, after: Epoch) -> tuple[str, ...]:
    """Why counters may have begun again, a sentence each; empty where they count on."""
    if before.database_oid != after.database_oid or before.system_identifier != after.system_identifier:
        return ("This is another database than the one of the first look: nothing can be compared.",)
    notes = []
    if before.timeline != after.timeline:
        notes.append("Another server took over (failover): counters are per server.")
    if counters_lost(before, after):
        notes.append("The counters of tables and indexes began again at zero: a crash or a reset.")
    elif before.server_started != after.server_started:
        notes.append("The server was restarted; its counters were kept.")
    if before.statements_reset != after.statements_reset:
        notes.append("The counters of pg_stat_statements were reset: statements are compared since then.")
    if after.evictions > before.evictions:
        notes.append("pg_stat_statements is full and dropped rare statements: they are missing here.")
    return tuple(notes)


def counters_lost(before: Epoch, after: Epoch) -> bool:
    """True where the counters of tables and indexes began again; after a crash only the background writer's reset time tells."""
    names = ("background_reset", "wal_reset", "database_reset", "timeline", "system_identifier", "database_oid")
    return any(getattr(before, name) != getattr(after, name) for name in names)


def absolute(snapshot: Snapshot) -> dict[str, Interval]:
    """Every statement since its counters began: the interval of a first look."""
    return {found.key: _interval(found, None, "") for found in snapshot.statements if found.calls > 0}


def between(first: Snapshot, second: Snapshot) -> dict[str, Interval]:
    """Every statement that was called between two looks, by its key."""
    began_anew = (
        first.epoch.statements_reset != second.epoch.statements_reset or first.epoch.database_oid != second.epoch.database_oid
    )
    earlier: Mapping[str, StatementFigures] = {} if began_anew else {found.key: found for found in first.statements}
    intervals = {}
    for found in second.statements:
        old = earlier.get(found.key)
        note = ""
        if old is not None and _began_again(old, found):
            old, note = None, "its counters began again within the interval"
        elif old is None and not began_anew and not found.touches:
            # a statement of the control group that was not among those kept at the first look
            continue
        elif old is None and began_anew:
            note = "counted since pg_stat_statements was reset"
        interval = _interval(found, old, note)
        if interval.calls > 0:
            intervals[found.key] = interval
    return intervals


def _began_again(old: StatementFigures, new: StatementFigures) -> bool:
    if old.since is not None and new.since is not None and new.since > old.since:
        return True
    return new.calls < old.calls or new.total_ms + 1e-6 < old.total_ms


def _interval(new: StatementFigures, old: StatementFigures | None, note: str) -> Interval:
    calls = new.calls - (old.calls if old else 0)
    total = new.total_ms - (old.total_ms if old else 0.0)
    squares = max(0.0, new.squares - (old.squares if old else 0.0))
    mean = total / calls if calls else 0.0
    blocks = new.blocks - (old.blocks if old else 0)
    return Interval(
        query=new.query,
        calls=calls,
        total_ms=total,
        mean_ms=mean,
        stddev_ms=math.sqrt(max(0.0, squares / calls - mean**2)) if calls else 0.0,
        rows=new.rows - (old.rows if old else 0),
        blocks_per_call=blocks / calls if calls else 0.0,
        temp_blocks=new.temp_blocks - (old.temp_blocks if old else 0),
        new_max_ms=new.max_ms if old is not None and new.max_ms > old.max_ms else None,
        touches=new.touches,
        note=note,
        is_parsed=new.is_parsed,
    )
