"""Which backups go: never the newest good one, never one that something rests on."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.backup.retention import Kept, judge

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def aged(number: int, days: float, *, whole: bool = True, good: bool = True) -> Kept:
    return Kept(id=number, finished_at=NOW - timedelta(days=days), is_whole=whole, is_good=good)


def gone(*backups: Kept, newest: int = 2, days: int = 30, needed: dict[int, str] | None = None) -> set[int]:
    verdicts = judge(backups, newest=newest, days=days, needed=needed or {}, now=NOW)
    return {number for number, verdict in verdicts.items() if verdict.expires}


def test_old_ones_go_and_the_newest_stay_whatever_their_age():
    assert gone(aged(1, 90), aged(2, 80), aged(3, 70), aged(4, 60)) == {1, 2}
    assert gone(aged(1, 40), aged(2, 20), aged(3, 10), aged(4, 1)) == {1}
    assert gone(aged(1, 400), aged(2, 300), newest=0) == {1}, "the newest good one stays even where none is asked for"


def test_a_damaged_one_and_a_part_do_not_count_among_the_newest():
    assert gone(aged(1, 90), aged(2, 60, good=False), aged(3, 50, whole=False), newest=1) == {2, 3}


def test_without_days_nothing_goes():
    assert gone(aged(1, 4000), aged(2, 1), days=0) == set()


def test_what_something_rests_on_stays_and_the_reason_is_told():
    verdict = judge([aged(1, 90), aged(2, 1)], newest=1, days=30, needed={1: "Run 7 rests on it."}, now=NOW)[1]
    assert (verdict.expires, verdict.why) == (False, "Run 7 rests on it.")
    assert gone(aged(1, 90), aged(2, 1), newest=1) == {1}


@given(
    ages=st.lists(st.tuples(st.floats(0, 500), st.booleans(), st.booleans()), max_size=12),
    newest=st.integers(0, 4),
    days=st.integers(0, 60),
    needed=st.sets(st.integers(0, 12)),
)
def test_whatever_there_is_the_newest_good_one_and_the_needed_ones_stay(ages, newest, days, needed):
    backups = [aged(number, age, whole=whole, good=good) for number, (age, whole, good) in enumerate(ages)]
    going = gone(*backups, newest=newest, days=days, needed=dict.fromkeys(needed, "needed"))
    good = [each for each in backups if each.is_whole and each.is_good]
    assert not going & needed
    if good:
        assert max(good, key=lambda each: (each.finished_at, each.id)).id not in going
    assert all(NOW - each.finished_at >= timedelta(days=days) for each in backups if each.id in going)
