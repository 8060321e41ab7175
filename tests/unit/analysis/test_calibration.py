"""What really happened on a target replaces what was assumed, and the page says how good the last estimates were."""

import pytest

from app.analysis.calibration import MEMORY, Outcome, learn, measured_classes, score
from app.analysis.duration import ASSUMED, MIB, estimate


def ran(work: str | None, *, mebibytes: float, took_ms: float, expected_ms: float = 1000.0) -> Outcome:
    return Outcome(work=work, table_bytes=int(mebibytes * MIB), expected_ms=expected_ms, real_ms=took_ms)


def test_without_a_history_the_measured_rates_are_assumed() -> None:
    assert learn(()) == ASSUMED
    assert score(()).sentence() == "Nothing has run on this server yet that these estimates could be compared with."


def test_a_class_that_ran_has_the_targets_own_rate() -> None:
    rates = learn([ran("rewrite", mebibytes=100, took_ms=1000)] * 5)
    assert rates["rewrite"].measured == 5
    assert estimate("rewrite", 200 * MIB, rates=rates).expected_ms == pytest.approx(2000)
    assert measured_classes(rates) == ("rewrite",)


def test_one_measurement_is_less_sure_than_five() -> None:
    one, five = (learn([ran("scan", mebibytes=100, took_ms=200)] * count)["scan"] for count in (1, 5))
    assert one.expected == five.expected
    assert one.high - one.low > five.high - five.low


def test_a_class_that_never_ran_moves_with_the_machine() -> None:
    slow = ASSUMED["rewrite"].expected * 3 * 100
    rates = learn([ran("rewrite", mebibytes=100, took_ms=slow)])
    assert rates["scan"].expected == pytest.approx(ASSUMED["scan"].expected * 3)
    assert rates["scan"].measured == 0


def test_what_took_no_time_or_hardly_any_rows_teaches_nothing() -> None:
    tiny = [ran("scan", mebibytes=0.1, took_ms=30), ran("scan", mebibytes=100, took_ms=3, expected_ms=2.0)]
    assert learn(tiny) == ASSUMED
    assert score(tiny).count == 0


def test_mixed_work_is_scored_but_teaches_no_rate() -> None:
    mixed = [ran(None, mebibytes=100, took_ms=2000)]
    assert learn(mixed) == ASSUMED
    assert score(mixed).median_error == 0.5


def test_the_score_is_the_median_error_of_the_newest() -> None:
    newest = [ran("scan", mebibytes=100, took_ms=1000, expected_ms=1180)] * MEMORY
    oldest = [ran("scan", mebibytes=100, took_ms=1000, expected_ms=9000)] * MEMORY
    assert score([*newest, *oldest]).sentence() == "Median error of the last 20 on this server: 18 %."
    assert score(newest[:1]).sentence() == "Median error of the last one on this server: 18 %."
