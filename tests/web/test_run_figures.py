"""Figures of a run's page as pure values: the rate over time, the times held back, signals, what the application feels."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.store.batches import SpeedChange
from app.store.tables import Target
from app.web.views.run_rates import draw, nice_top
from app.web.views.signals import APPLICATION_FILE, application_signal, signals_of, sparkline

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SHOP = Target(name="shop", dsn_summary="localhost:5432/shop as app")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def chart(rows: dict[int, int], *changes: SpeedChange, seconds: int = 10, is_over: bool = True):
    return draw(rows, changes, start=START, end=at(seconds), slot_seconds=1, is_over=is_over)


def test_a_slot_without_batches_is_a_rate_of_zero():
    drawn = chart({0: 1000, 9: 1000})
    assert drawn.line.split()[0] == "0.0,0.0"
    assert drawn.line.split()[5].endswith(",100.0")
    assert drawn.line.split()[-1] == "1000.0,0.0"
    assert drawn.scale == ("1.0k", "500", "0")
    assert len(drawn.table) == 10


def test_the_table_of_a_long_chart_stays_short_and_keeps_the_mean():
    drawn = chart(dict.fromkeys(range(120), 600), seconds=120)
    assert len(drawn.table) == 12
    assert {rate for _, _, rate in drawn.table} == {"600"}


def test_the_slot_that_is_not_over_does_not_look_like_a_fall():
    drawn = draw(dict.fromkeys(range(9), 100) | {9: 3}, (), start=START, end=at(10), slot_seconds=1, is_over=False)
    assert {point.partition(",")[2] for point in drawn.line.split()} == {"0.0"}
    assert drawn.times[-1] == "now"


def test_a_driver_that_says_again_what_slows_it_opens_no_second_band():
    slowed = [SpeedChange(at=at(second), signal="replica lag") for second in (2, 4)]
    drawn = chart({0: 10, 9: 10}, *slowed, SpeedChange(at=at(6), signal=""))
    (band,) = drawn.bands
    assert band.text == "Held back by replica lag, 09:00:02 to 09:00:06"
    assert (round(band.x), round(band.x + band.width)) == (222, 667)


@pytest.mark.parametrize(("is_over", "ended"), [(False, ", still"), (True, " to the end")])
def test_another_signal_ends_the_band_and_the_last_one_lasts_as_long_as_the_step(is_over, ended):
    changes = SpeedChange(at=at(2), signal="WAL"), SpeedChange(at=at(5), signal="dead rows")
    drawn = chart({0: 10, 9: 10}, *changes, is_over=is_over)
    assert [band.text for band in drawn.bands] == [
        "Held back by WAL, 09:00:02 to 09:00:05",
        f"Held back by dead rows, 09:00:05{ended}",
    ]


@pytest.mark.parametrize(("value", "top"), [(0, 1), (1, 1), (43, 50), (101, 200), (2400, 2500), (99_999, 100_000)])
def test_a_scale_ends_at_a_round_number(value, top):
    assert nice_top(value) == top


def test_the_worst_signal_stands_first_and_knows_its_share_of_the_limit():
    said = {
        "lag": {"value": 1.0, "limit": 4.0, "unit": "s", "state": "ok"},
        "WAL": {"value": None, "limit": None, "unit": "MiB/s", "state": "unknown"},
        "lock_waiters": {"value": 3, "limit": 2, "unit": "sessions", "state": "stopping"},
    }
    found = signals_of({"signals": said})
    assert [signal.name for signal in found] == ["Lock waiters", "WAL", "Lag"]
    assert [signal.percent for signal in found] == [150.0, 0.0, 25.0]


def test_the_noise_of_a_quiet_series_does_not_look_like_news():
    heights = [y for _, y in sparkline([0.4, 0.6, 0.3, 0.5])]
    assert max(heights) - min(heights) < 1
    assert min(y for _, y in sparkline([1.0, 200.0])) == 1.0
    assert sparkline([3.0]) == ()


def report(folder: Path, **also: object) -> None:
    said = {"at": START.isoformat(), "database": "shop", "p95_ms": 7.5, "errors": 1, "statements_per_second": 80.0}
    history = [{"p95_ms": 7.0}, {"p95_ms": None}, {"p95_ms": 7.5}]
    (folder / APPLICATION_FILE).write_text(json.dumps({**said, "history": history, **also}))


def test_what_the_application_feels_is_shown_for_its_own_database_only(tmp_path: Path):
    report(tmp_path)
    found = application_signal(tmp_path, SHOP, at(2))
    assert found is not None
    assert (found.value, found.note, len(found.spark)) == (7.5, "80 statements/s, 1 error", 3)
    assert application_signal(tmp_path, Target(name="x", dsn_summary="localhost:5432/shop_staging as app"), at(2)) is None


def test_old_figures_of_the_application_say_nothing_of_now(tmp_path: Path):
    report(tmp_path)
    found = application_signal(tmp_path, SHOP, at(60))
    assert found is not None
    assert (found.value, found.state) == (None, "unknown")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_file_that_is_half_written_or_foreign_is_passed_over(tmp_path: Path, text):
    (tmp_path / APPLICATION_FILE).write_text(text)
    assert application_signal(tmp_path, SHOP) is None
    assert application_signal(None, SHOP) is None
