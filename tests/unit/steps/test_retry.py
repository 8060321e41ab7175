import random

from app.steps.protocol import LockPolicy
from app.steps.retry import rest_ms


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
