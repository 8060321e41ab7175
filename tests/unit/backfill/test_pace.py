"""The controller: batches follow the time budget, signals lower the budget first and make us rest second."""

import pytest

from app.backfill.pace import PROFILES, BatchSize, RateLimit, Throttle, retry_rest


def test_the_batch_grows_towards_the_time_budget_and_stays_there() -> None:
    size = BatchSize(first=1000, least=50, most=100_000)
    for _ in range(50):
        size.took(size.units, size.units / 400_000, 0.020)
    assert size.units == pytest.approx(8000, rel=0.01)


def test_it_never_more_than_doubles_and_halves_at_once_when_it_takes_twice_as_long() -> None:
    size = BatchSize(first=1000, least=50, most=100_000)
    size.took(1000, 0.0001, 0.020)
    assert size.units == 2000
    size.took(2000, 0.100, 0.020)
    assert size.units == 1000


def test_it_stays_between_its_bounds() -> None:
    size = BatchSize(first=1000, least=50, most=3000)
    for _ in range(10):
        size.took(size.units, 1e-9, 0.020)
    assert size.units == 3000
    for _ in range(20):
        size.shrink()
    assert size.units == 50


def test_a_failing_row_is_found_by_halving_and_then_it_doubles_again() -> None:
    size = BatchSize(first=1000, least=50, most=100_000)
    halvings = 0
    while size.units > 1:
        size.bisect()
        halvings += 1
    assert halvings == 9
    grown = []
    while size.units < 50:
        size.took(size.units, 0.001, 0.020)
        grown.append(size.units)
    assert grown == [2, 4, 8, 16, 32, 64]


def test_pressure_shortens_batches_first_and_rests_second() -> None:
    throttle = Throttle(profile=PROFILES["balanced"])
    targets = []
    while throttle.target_seconds > 0.001:
        throttle.sense(1.2)
        targets.append(throttle.target_seconds)
    assert throttle.nice == 0
    assert targets == sorted(targets, reverse=True)
    throttle.sense(1.2)
    assert throttle.nice > 0
    for _ in range(100):
        throttle.sense(3)
    assert throttle.nice == 6


def test_calm_takes_the_rest_back_first_and_lengthens_batches_second() -> None:
    throttle = Throttle(profile=PROFILES["balanced"])
    for _ in range(30):
        throttle.sense(2)
    while throttle.nice > 0:
        assert throttle.target_seconds == 0.001
        throttle.sense(0.1)
    for _ in range(60):
        throttle.sense(0.1)
    assert throttle.target_seconds == 0.020
    assert not throttle.is_slowed


def test_between_the_bands_nothing_changes() -> None:
    throttle = Throttle(profile=PROFILES["balanced"])
    throttle.sense(0.9)
    assert (throttle.target_seconds, throttle.nice) == (0.020, 0.0)


def test_a_stop_holds_until_three_good_samples() -> None:
    throttle = Throttle(profile=PROFILES["fast"])
    throttle.sense(0.1, "standby lag")
    assert throttle.stopped_by == "standby lag"
    for _ in range(2):
        throttle.sense(0.1)
    assert throttle.stopped_by
    throttle.sense(1.5)
    throttle.sense(0.1)
    throttle.sense(0.1)
    assert throttle.stopped_by
    throttle.sense(0.1)
    assert not throttle.stopped_by


def test_the_gentle_profile_rests_twice_as_long_as_it_works() -> None:
    throttle = Throttle(profile=PROFILES["balanced"])
    throttle.change_profile(PROFILES["gentle"])
    assert (throttle.target_seconds, throttle.nice) == (0.001, 2.0)
    for _ in range(50):
        throttle.sense(0)
    assert throttle.nice == 2.0


def test_a_rate_limit_holds_on_average_and_saves_nothing_up() -> None:
    limit, now, rows = RateLimit(1000), 100.0, 0
    for _ in range(100):
        now += 0.005 + limit.rest_after(50, now)
        rows += 50
    assert rows / (now - 100.0) == pytest.approx(1000, rel=0.05)
    assert limit.rest_after(500, now + 60) == pytest.approx(0.4, abs=0.01)
    assert RateLimit(None).rest_after(10**6, 0.0) == 0.0


def test_a_refused_lock_is_stayed_away_from_for_longer_each_time() -> None:
    assert retry_rest(1, 1.0) == 0.05
    assert retry_rest(3, 1.0) == 0.2
    assert retry_rest(50, 1.0) == 2.0
    assert retry_rest(50, 0.0) == 1.0
