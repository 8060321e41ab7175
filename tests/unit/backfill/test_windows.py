"""The geometry of page windows: whatever the sizes, every tuple slot of every pass is visited once, in order."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from app.backfill.windows import SLOTS, WindowPlace, fraction, next_window

SIZES = st.lists(st.integers(1, 6 * SLOTS) | st.sampled_from([1, 2, 700, SLOTS, 3 * SLOTS]), min_size=1, max_size=30)


@given(sizes=SIZES, lo=st.integers(0, 3), pages=st.integers(0, 12), passes=st.sampled_from([1, 2, 8]), group=st.integers(1, 4))
def test_every_slot_is_visited_once_in_every_pass(sizes: list[int], lo: int, pages: int, passes: int, group: int) -> None:
    hi, place, visits, turn = lo + pages, None, {}, 0
    last = 0.0
    while window := next_window(place, units=sizes[turn % len(sizes)], lo=lo, hi=hi, passes=passes, windows_per_group=group):
        turn += 1
        if turn > 200:
            # single slots would take for ever; the rest goes in large windows
            sizes = [6 * SLOTS]
        assert window.first < window.last
        assert window.units >= 1
        start, end = window.first[0] * SLOTS + window.first[1], window.last[0] * SLOTS + window.last[1]
        visits.setdefault(window.number, []).append((start, end))
        place = WindowPlace.from_json(window.after.as_json())
        done = fraction(place, lo=lo, hi=hi)
        assert last <= done + 1e-9
        last = done
    if pages == 0:
        assert place is None
        return
    assert set(visits) == set(range(passes))
    for ranges in visits.values():
        assert ranges[0][0] == lo * SLOTS
        assert ranges[-1][1] == hi * SLOTS
        assert all(before[1] == after[0] for before, after in itertools.pairwise(ranges))
    assert last == 1.0


def test_passes_over_a_group_come_before_the_next_group() -> None:
    order, place = [], None
    while window := next_window(place, units=2 * SLOTS, lo=0, hi=4, passes=2):
        order.append((window.first[0], window.last[0], window.number))
        place = window.after
    assert order == [(0, 2, 0), (0, 2, 1), (2, 4, 0), (2, 4, 1)]


def test_several_workers_interleave_windows_within_a_group() -> None:
    order, place = [], None
    while window := next_window(place, units=SLOTS, lo=0, hi=2, passes=2, windows_per_group=2):
        order.append((window.first[0], window.number))
        place = window.after
    assert order == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_nothing_is_done_of_nothing() -> None:
    assert fraction(None, lo=0, hi=0) == 1.0
    assert fraction(None, lo=0, hi=10) == 0.0
