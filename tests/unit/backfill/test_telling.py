"""Figures that people see: speed over wall time, time left, signals, certificates."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.backfill.certificate import Remains, certificate, ranges_are_sound
from app.backfill.progress import Progress
from app.backfill.sentinel import third_quartile
from app.backfill.shards import Shard
from app.backfill.signals import Reading, halted_by, limiting, segments_between, unknown
from app.backfill.strategy import Strategy
from app.backfill.walker import Committed


def _batch(rows: int) -> Committed:
    return Committed(rows=rows, seen=rows, stuck=0, units=rows, seconds=0.02)


def _shard(no: int, lo: Any, hi: Any, *, relation: str = "public.t", state: str = "done") -> Shard:
    facts: dict[str, Any] = {"epoch": 1, "cur": None, "round": 0, "round_rows": 0, "rows_done": 5, "rows_seen": 5, "batches": 1}
    return Shard(
        no=no, lo=lo, hi=hi, relation=relation, state=state, filenode=1, updated_at=datetime(2026, 1, 1, tzinfo=UTC), **facts
    )


def test_the_time_left_counts_the_rests_too() -> None:
    progress = Progress(rows_total=100_000)
    for second in range(6):
        progress.measure(float(second))
        progress.committed(_batch(1000))
    assert progress.rows_per_second == pytest.approx(1000)
    low, high = progress.eta(0.06) or (0, 0)
    assert 90 <= low <= high <= 110


def test_no_time_left_is_claimed_before_there_is_a_speed() -> None:
    progress = Progress(rows_total=100)
    assert progress.eta(0.0) is None
    progress.measure(0.0)
    progress.measure(1.0)
    assert progress.eta(0.0) is None


def test_rows_left_follow_the_fraction_where_the_estimate_was_too_low() -> None:
    progress = Progress(rows_total=100, rows_done=500)
    assert progress.rows_left(0.5) == 500
    assert Progress(rows_total=None).rows_left(None) is None


def test_a_signal_slows_stops_or_is_shown_as_unknown() -> None:
    slow = Reading(name="active sessions", value=9, limit=4, unit="sessions")
    stop = Reading(name="standby lag", value=6, limit=5, unit="s", stops=True)
    shown = Reading(name="oldest transaction", value=90, limit=30, unit="s", only_shown=True)
    dark = unknown("standby lag", "s")
    assert (slow.state, stop.state, dark.state) == ("slowing", "stopping", "unknown")
    assert (slow.load, dark.load, shown.load) == (2.25, 1.0, 0.0)
    assert halted_by([slow, stop]) == "standby lag"
    assert halted_by([slow]) == ""
    assert limiting([slow, stop, shown]) is stop
    assert limiting([shown, dark]) is None
    assert slow.as_json() == {"value": 9, "limit": 4, "unit": "sessions", "state": "slowing"}


def test_waiting_for_us_is_over_its_limit_at_once() -> None:
    assert Reading(name="waiting for us", value=3.0, limit=0.0, unit="ms").load == 1.5
    assert Reading(name="waiting for us", value=0.0, limit=0.0, unit="ms").load == 0.0


def test_the_archive_s_backlog_is_counted_in_segments() -> None:
    size = 16 * 1024**2
    assert segments_between("000000010000000000000001", "000000010000000000000002", size) == 0
    assert segments_between("0000000100000000000000FE", "000000010000000100000002", size) == 3
    assert segments_between("000000010000000000000001.00000028.backup", "000000010000000000000009", size) == 0


def test_two_slow_commits_of_ten_are_a_hiccup_and_three_are_pressure() -> None:
    assert third_quartile([]) == 0
    assert third_quartile([1.0] * 8 + [90.0] * 2) == 1.0
    assert third_quartile([1.0] * 7 + [90.0] * 3) == 90.0


def test_ranges_without_gap_and_overlap_are_sound() -> None:
    assert ranges_are_sound([_shard(0, 0, 10), _shard(1, 10, 20), _shard(2, None, ["z"], relation="public.u")])
    assert not ranges_are_sound([_shard(0, 0, 10), _shard(1, 11, 20)])
    assert not ranges_are_sound([_shard(0, 3, 10)])
    assert not ranges_are_sound([_shard(0, 0, 10, state="running")])


def test_a_certificate_says_what_it_rests_on() -> None:
    words: dict[str, Any] = {"relation": "public.t", "key": None, "reasons": ()}
    ends = Strategy(kind="windows", passes=8, convergent=True, **words)
    once = Strategy(kind="keyset", passes=1, convergent=False, **words)
    shards = [_shard(0, 0, 10)]
    seen = certificate(shards=shards, strategies=[ends], remains=Remains(seen=9, matching=0), quarantined=0)
    assert (seen["remaining_rows"], seen["proof"]) == (0, "one look at the whole table in one snapshot")
    assert "sweep" in certificate(shards=shards, strategies=[ends], remains=None, quarantined=0)["proof"]
    walked = certificate(shards=shards, strategies=[once], remains=None, quarantined=2)
    assert walked["remaining_rows"] is None
    assert walked["quarantined"] == 2
