"""Two looks -> what is different: statements against their own past and against a control group, tables, indexes, the database.

The control group are statements that touch none of the plan's tables. Their median change is the factor by which everything got
slower or faster: a busy day is not laid to the migration.
"""

import math
from collections.abc import Collection, Mapping
from statistics import median
from typing import Any

from app.monitoring.counters import database_difference, index_differences, table_difference
from app.monitoring.differences import Comparison, StatementDifference
from app.monitoring.figures import Snapshot
from app.monitoring.intervals import Interval, absolute, between, counters_lost, epoch_changes, seconds_between

#: Statements of the control group need this many calls in both intervals, and there must be so many of them.
_CONTROL_CALLS = 20
_CONTROL_LEAST = 5
_SQL_SHOWN = 500
#: length of the interval before (None where it is not known) and after
_Seconds = tuple[float | None, float]


def compare(
    before: Snapshot,
    after: Snapshot,
    *,
    earlier: Snapshot | None = None,
    since: Snapshot | None = None,
    ignore: Collection[str] = (),
) -> Comparison:
    """What is different after.

    The interval before goes from ``earlier`` (another look some time before) to ``before``; without it, since the counters began.
    The interval after goes from ``since`` (a look right after the run, so that the run's own statements don't count) or
    ``before`` to ``after``. ``ignore``: fingerprints of the plan's own statements (app.sql.identity).
    """
    start = since or before
    old = _without(between(earlier, before) if earlier else absolute(before), ignore)
    new = _without(between(start, after), ignore)
    began = earlier.taken_at if earlier else before.epoch.statements_reset
    seconds = (seconds_between(began, before.taken_at) if began else None, seconds_between(start.taken_at, after.taken_at))
    factor, size = control_factor(old, new)
    touched_before = sum(found.total_ms for found in old.values() if found.touches)
    seen_again = sum(found.total_ms for key, found in old.items() if found.touches and key in new)
    statements = [
        _statement(key, old.get(key), new.get(key), factor=factor, seconds=seconds, all_before_ms=touched_before)
        for key in sorted(old.keys() | new.keys())
        if (new.get(key) or old[key]).touches
    ]
    lost = counters_lost(before.epoch, after.epoch)
    return Comparison(
        before_at=before.taken_at,
        after_at=after.taken_at,
        seconds_before=seconds[0],
        seconds_after=seconds[1],
        has_statements=before.has_statements and after.has_statements,
        control_factor=factor,
        control_size=size,
        coverage=seen_again / touched_before if touched_before > 0 else None,
        notes=epoch_changes(before.epoch, after.epoch),
        statements=tuple(sorted(statements, key=lambda found: -(found.added_load or 0.0))),
        tables={name: table_difference(before.tables.get(name), table, lost=lost) for name, table in after.tables.items()},
        indexes=index_differences(before.indexes, after.indexes, lost=lost),
        database=database_difference(before, after, start, earlier),
    )


def control_factor(old: Mapping[str, Interval], new: Mapping[str, Interval]) -> tuple[float, int]:
    """The median change of statements that the plan does not touch, and how many they are; 1.0 where they are too few."""
    ratios = [
        new[key].mean_ms / found.mean_ms
        for key, found in old.items()
        if not found.touches and key in new and found.mean_ms > 0 and min(found.calls, new[key].calls) >= _CONTROL_CALLS
    ]
    return (median(ratios) if len(ratios) >= _CONTROL_LEAST else 1.0), len(ratios)


def _without(intervals: dict[str, Interval], ignore: Collection[str]) -> dict[str, Interval]:
    return {key: found for key, found in intervals.items() if key.rpartition(":")[2] not in ignore}


def _statement(
    key: str,
    old: Interval | None,
    new: Interval | None,
    *,
    factor: float,
    seconds: _Seconds,
    all_before_ms: float,
) -> StatementDifference:
    shown = new or old
    difference: dict[str, Any] = {
        "key": key,
        "query": shown.query[:_SQL_SHOWN] if shown else "",
        "presence": "both" if old and new else "new" if new else "gone",
        "calls_before": old.calls if old else 0,
        "calls_after": new.calls if new else 0,
        "mean_before_ms": old.mean_ms if old else None,
        "mean_after_ms": new.mean_ms if new else None,
        "share_before": old.total_ms / all_before_ms if old and all_before_ms > 0 else 0.0,
        "total_after_ms": new.total_ms if new else 0.0,
        "new_max_ms": new.new_max_ms if new else None,
        "temp_blocks_after": new.temp_blocks if new else 0,
        "notes": tuple(found.note for found in (old, new) if found and found.note),
    }
    if old and new:
        difference |= _measures(old, new, factor, seconds)
    return StatementDifference(**difference)


def _measures(old: Interval, new: Interval, factor: float, seconds: _Seconds) -> dict[str, Any]:
    expected = old.mean_ms * factor
    delta = new.mean_ms - expected
    error = math.sqrt((old.stddev_ms * factor) ** 2 / old.calls + new.stddev_ms**2 / new.calls)
    rate_after = new.calls / seconds[1]
    return {
        "ratio": new.mean_ms / expected if expected > 0 else None,
        "t": delta / error if error > 0 else 0.0,
        "delta_ms": delta,
        "blocks_ratio": new.blocks_per_call / max(old.blocks_per_call, 0.5),
        "added_load": delta * rate_after,
        "call_rate_ratio": rate_after / (old.calls / seconds[0]) if seconds[0] else None,
    }
