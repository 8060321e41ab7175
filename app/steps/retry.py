"""Attempts: how long each may wait for a lock, and how long to rest before the next.

Which errors deserve another attempt is said by app/target/errors.py.
"""

import random

from app.steps.protocol import LockPolicy

#: Each time we give way while we hold a lock, others have waited for nothing and our work is lost: not more often than this.
MAX_GIVING_WAY = 5
#: The first attempts ask for a moment only: most locks are free in a moment, and nobody notices a queue that short.
SHORT_RUNGS_MS = (100, 200, 500, 1000)
#: At least so many attempts wait for as long as the policy allows.
_LONG_ATTEMPTS = 2
#: The server looks for what blocks us after deadlock_timeout and cancels an autovacuum then; so much longer we have to stay.
ABOVE_DEADLOCK_TIMEOUT_MS = 500


def rest_ms(attempt: int, policy: LockPolicy, *, chance: random.Random | None = None) -> float:
    """Milliseconds to rest after failed attempt number ``attempt`` (from 1): doubling, full jitter, never under 10."""
    ceiling = min(policy.longest_rest_ms, policy.first_rest_ms * (1 << min(max(attempt - 1, 0), 20)))
    draw = (chance or random.SystemRandom()).uniform(0.0, 1.0)
    return max(10.0, ceiling * draw)


def rung_ms(failed: int, policy: LockPolicy) -> int:
    """How long the attempt after ``failed`` failed ones may wait for a lock: the lock ladder, whose top is the policy's limit."""
    if policy.lock_timeout_ms == 0:
        return 0
    short = SHORT_RUNGS_MS[max(0, len(SHORT_RUNGS_MS) - max(policy.attempts - _LONG_ATTEMPTS, 0)) :]
    wanted = short[failed] if failed < len(short) else policy.lock_timeout_ms
    return min(wanted, policy.lock_timeout_ms)


def spent_by_giving_way(policy: LockPolicy) -> int:
    """How many attempts it costs to give way while a lock is held: so that it ends after MAX_GIVING_WAY times."""
    return max(1, policy.attempts // MAX_GIVING_WAY)
