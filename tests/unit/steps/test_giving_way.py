import pytest

from app.catalog.activity import Queue
from app.steps.giving_way import LockWait, Manners, yields

MANNERS = Manners(tolerance_ms=3000, sessions=10, lock_deadline_ms=2000)


def queue(*waits: float, is_waiting: bool = False, waited: float | None = None) -> Queue:
    return Queue(
        is_waiting=is_waiting,
        waited_seconds=waited,
        victims=len(waits),
        worst_wait_seconds=max(waits, default=None),
        queue_seconds=sum(waits),
    )


@pytest.mark.parametrize(
    ("waits", "reason"),
    [
        ((), None),
        ((2.9,), None),
        ((3.1,), "queue"),
        ((1.1, 1.0, 1.0), "queue"),
        ((0.2,) * 10, None),
        ((0.31,) * 10, "queue"),
        ((0.31,) * 9, None),
    ],
)
def test_the_more_sessions_queue_behind_us_the_sooner_we_give_way(waits, reason):
    assert yields(queue(*waits), 0.0, MANNERS) == reason


def test_who_must_not_give_way_does_not():
    assert yields(queue(*(9.0,) * 50), 0.0, Manners(sessions=10)) is None


@pytest.mark.parametrize(("waited_ms", "is_waiting", "reason"), [(1999, True, None), (2001, True, "locks"), (2001, False, None)])
def test_all_locks_of_a_statement_together_have_a_deadline(waited_ms, is_waiting, reason):
    assert yields(queue(is_waiting=is_waiting), waited_ms, MANNERS) == reason
    assert yields(queue(is_waiting=is_waiting), waited_ms, Manners()) is None


def test_waits_for_one_lock_after_another_add_up_and_work_in_between_does_not_count():
    wait = LockWait()
    looks = [(True, 0.25), (True, 0.5), (False, None), (True, 0.1), (True, 0.35)]
    totals = [wait.count(queue(is_waiting=waits, waited=age), 100 + 0.25 * look) for look, (waits, age) in enumerate(looks)]
    assert totals == pytest.approx([250, 500, 500, 600, 850])
