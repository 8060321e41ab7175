"""Attempts: how long to rest before the next one; which errors deserve one is said by app/target/errors.py."""

import random

from app.steps.protocol import LockPolicy

#: Others were made to wait each time; more tries would only repeat that.
MAX_GIVING_WAY = 5


def rest_ms(attempt: int, policy: LockPolicy, *, chance: random.Random | None = None) -> float:
    """Milliseconds to rest after failed attempt number ``attempt`` (from 1): doubling, full jitter, never under 10."""
    ceiling = min(policy.longest_rest_ms, policy.first_rest_ms * (1 << min(max(attempt - 1, 0), 20)))
    draw = (chance or random.SystemRandom()).uniform(0.0, 1.0)
    return max(10.0, ceiling * draw)
