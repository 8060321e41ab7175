"""When to look."""

from datetime import UTC, datetime, timedelta

import pytest

from app.monitoring.windows import BEFORE, WINDOWS, due, is_over, window, window_at
from app.plan.checklist import MONITORING_CHECKLIST

END = datetime(2026, 1, 1, tzinfo=UTC)


def at(**later):
    return END + timedelta(**later)


def test_the_windows_follow_each_other():
    assert window_at(END, at(minutes=1)).id == "1h"
    assert window_at(END, at(hours=1)).id == "24h"
    assert window_at(END, at(days=2)).id == "1w"
    assert window_at(END, at(days=7)) is None
    assert is_over("1h", END, at(hours=1))
    assert not is_over("24h", END, at(hours=1))


def test_every_item_of_the_checklist_belongs_to_a_window():
    assert [item for each in WINDOWS for item in each.items()] == list(MONITORING_CHECKLIST)
    with pytest.raises(KeyError):
        window("2h")


def test_a_first_look_is_due_at_once_and_the_next_one_after_the_interval():
    assert due(END, [(BEFORE, END)], at(seconds=1)) == "1h"
    assert due(END, [("1h", at(seconds=1))], at(minutes=4)) is None
    assert due(END, [("1h", at(seconds=1))], at(minutes=6)) == "1h"


def test_the_end_of_a_window_is_looked_at_even_when_it_is_late():
    taken = [("1h", at(minutes=58))]
    assert due(END, taken, at(hours=3)) == "1h"
    taken.append(("1h", at(hours=3)))
    assert due(END, taken, at(hours=3, minutes=1)) is None
    assert due(END, taken, at(days=8)) == "24h"


def test_nothing_is_due_after_the_last_window_was_closed():
    taken = [("1h", at(hours=1)), ("24h", at(hours=24)), ("1w", at(days=7))]
    assert due(END, taken, at(days=30)) is None
