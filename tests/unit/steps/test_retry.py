import random

import pytest

from app.steps.protocol import LockPolicy
from app.steps.retry import rest_ms, rung_ms, spent_by_giving_way


class Fixed(random.Random):
    def uniform(self, low, high):
        return high


def test_rests_double_up_to_the_longest():
    policy = LockPolicy(first_rest_ms=100, longest_rest_ms=1000)
    assert [rest_ms(attempt, policy, chance=Fixed()) for attempt in (1, 2, 3, 4, 5, 100)] == [100, 200, 400, 800, 1000, 1000]


def test_rests_are_spread_over_the_whole_span_so_that_two_workers_do_not_meet_again():
    policy, chance = LockPolicy(first_rest_ms=1000), random.Random(1)  # noqa: S311  # the same numbers in every run
    found = [rest_ms(1, policy, chance=chance) for _ in range(200)]
    assert min(found) < 100
    assert max(found) > 900
    assert all(10 <= rest <= 1000 for rest in found)


@pytest.mark.parametrize(
    ("policy", "rungs"),
    [
        (LockPolicy(), [100, 200, 500, 1000, 2000, 2000, 2000]),
        (LockPolicy(lock_timeout_ms=300), [100, 200, 300, 300, 300, 300, 300]),
        (LockPolicy(attempts=4), [500, 1000, 2000, 2000]),
        (LockPolicy(attempts=1), [2000]),
        (LockPolicy(lock_timeout_ms=0, attempts=2), [0, 0]),
    ],
)
def test_the_ladder_begins_short_and_ends_at_the_limit_of_the_policy(policy, rungs):
    assert [rung_ms(failed, policy) for failed in range(len(rungs))] == rungs


def test_giving_way_with_a_lock_in_hand_costs_so_much_that_it_ends_after_five_times():
    assert spent_by_giving_way(LockPolicy(attempts=30)) * 5 == 30
    assert spent_by_giving_way(LockPolicy(attempts=2)) == 1
