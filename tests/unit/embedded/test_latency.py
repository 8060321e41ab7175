"""The figures of the shop's application."""

import pytest

from app.embedded.latency import Latency, percentile, write_report


@pytest.mark.parametrize(("share", "expected"), [(0.5, 5), (0.95, 10), (0.1, 1), (1.0, 10), (0.0, 1)])
def test_a_percentile_is_a_value_that_was_seen(share, expected):
    assert percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], share) == expected


def test_nothing_has_no_percentile():
    assert percentile([], 0.5) is None


def test_only_the_last_ten_seconds_count():
    latency = Latency(database="shop")
    latency.record(at=0.0, milliseconds=900.0)
    latency.record(at=15.0, milliseconds=2.0)
    report = latency.report(at=20.0)
    assert (report["p50_ms"], report["max_ms"], report["statements_per_second"]) == (2.0, 2.0, 0.1)


def test_an_error_is_counted_and_named():
    latency = Latency(database="shop")
    latency.record_error("55P03: canceling statement due to lock timeout")
    report = latency.report(at=1.0)
    assert report["errors"] == 1
    assert report["last_error"].startswith("55P03")


def test_the_history_has_a_point_for_each_report_and_an_end():
    latency = Latency(database="shop")
    for second in range(700):
        latency.report(at=float(second))
    assert len(latency.report(at=700.0)["history"]) == 600


def test_a_report_replaces_the_one_before_it(tmp_path):
    file = tmp_path / "traffic.json"
    write_report({"errors": 1}, file)
    write_report({"errors": 2}, file)
    assert file.read_text() == '{"errors": 2}'
    assert [path.name for path in tmp_path.iterdir()] == ["traffic.json"]
