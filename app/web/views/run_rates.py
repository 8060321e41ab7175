"""A backfill's rate over time: rows a second by slot, the bands in which Headgate held back, and the same as a table."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from sqlalchemy.orm import Session

from app.store.batches import SpeedChange, rows_by_slot, speed_changes
from app.web.formats import short_count, words

#: the box that the SVG is drawn in; the page stretches it
WIDTH, HEIGHT = 1000, 100
_SLOTS = 120
_LABELS = 5
#: the newest ones are drawn and named
_BANDS = 6
_TABLE_ROWS = 12
_KEPT_SECONDS, _MOST_KEPT = 2.0, 200
_NICE = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A time in which Headgate held back."""

    x: float
    width: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChart:
    """The chart in a box of 1000 by 100, and its table."""

    line: str
    area: str
    bands: tuple[Band, ...]
    #: scale, from the top down
    scale: tuple[str, ...]
    #: moments from left to right
    times: tuple[str, ...]
    #: (from, to, rows a second)
    table: tuple[tuple[str, str, str], ...]
    sentence: str


#: (database, run, step, end) -> until when it counts, and the chart
_drawn: dict[tuple[str, int, str, datetime | None], tuple[float, RateChart | None]] = {}


def rate_chart(
    session: Session, run_id: int, step_id: str, *, start: datetime | None, end: datetime | None, now: datetime
) -> RateChart | None:
    """The chart of a step from its start to its end, or to now; None before its first batch.

    Drawn at most every few seconds: everybody who looks at a run, and its stream, share one drawing.
    """
    key = (str(session.get_bind().engine.url), run_id, step_id, end)
    kept = _drawn.get(key)
    if kept is None or monotonic() >= kept[0]:
        if len(_drawn) >= _MOST_KEPT:
            _drawn.clear()
        kept = (monotonic() + _KEPT_SECONDS, _fresh(session, run_id, step_id, start=start, end=end, now=now))
        _drawn[key] = kept
    return kept[1]


def _fresh(
    session: Session, run_id: int, step_id: str, *, start: datetime | None, end: datetime | None, now: datetime
) -> RateChart | None:
    if start is None:
        return None
    slot_seconds = max(1, math.ceil(((end or now) - start).total_seconds() / _SLOTS))
    rows = rows_by_slot(session, run_id, step_id, start=start, slot_seconds=slot_seconds)
    if not rows:
        return None
    changes = speed_changes(session, run_id, step_id)
    return draw(rows, changes, start=start, end=end or now, slot_seconds=slot_seconds, is_over=end is not None)


def draw(
    rows: Mapping[int, int],
    changes: Sequence[SpeedChange],
    *,
    start: datetime,
    end: datetime,
    slot_seconds: int,
    is_over: bool,
) -> RateChart:
    """Rows by slot -> the chart; a slot without batches is a rate of zero, not a gap."""
    length = max(max(rows) + 1, math.ceil((end - start).total_seconds() / slot_seconds), 2)
    # the slot that is not over yet would look like a fall
    shown = length - 1 if not is_over and length > _LABELS else length
    rates = [rows.get(number, 0) / slot_seconds for number in range(shown)]
    top = nice_top(max(rates))
    step = WIDTH / (shown - 1)
    points = [(round(number * step, 1), round(HEIGHT - rate / top * HEIGHT, 1)) for number, rate in enumerate(rates)]
    line = " ".join(f"{x},{y}" for x, y in points)
    whole = timedelta(seconds=slot_seconds * (shown - 1))
    return RateChart(
        line=line,
        area=f"0,{HEIGHT} {line} {WIDTH},{HEIGHT}",
        bands=_bands(changes, start, whole, is_over=is_over),
        scale=(short_count(top), short_count(top / 2), "0"),
        times=_times(start, whole, is_over=is_over),
        table=_table(rates, start, slot_seconds),
        sentence=f"Rows a second, between {short_count(min(rates))} and {short_count(max(rates))}",
    )


def nice_top(value: float) -> float:
    """The round number at or above a value at which a scale ends."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * factor for factor in _NICE if value <= power * factor)


def _bands(changes: Sequence[SpeedChange], start: datetime, whole: timedelta, *, is_over: bool) -> tuple[Band, ...]:
    found: list[Band] = []
    for begun, until in _held_back(changes):
        left = _share(begun.at - start, whole)
        right = 1.0 if until is None else _share(until - start, whole)
        ended = f" to {_clock(until)}" if until else " to the end" if is_over else ", still"
        text = f"Held back by {words(begun.signal)}, {_clock(begun.at)}{ended}"
        found.append(Band(x=round(left * WIDTH, 1), width=round(max(right - left, 0.004) * WIDTH, 1), text=text))
    return tuple(found[-_BANDS:])


def _held_back(changes: Sequence[SpeedChange]) -> list[tuple[SpeedChange, datetime | None]]:
    """Each time that Headgate held back, with its end; a driver that takes over says again what slows it: no new time."""
    found: list[tuple[SpeedChange, datetime | None]] = []
    for change in changes:
        is_open = bool(found) and found[-1][1] is None
        if is_open and change.signal != found[-1][0].signal:
            found[-1] = (found[-1][0], change.at)
            is_open = False
        if change.signal and not is_open:
            found.append((change, None))
    return found


def _share(part: timedelta, whole: timedelta) -> float:
    return min(1.0, max(0.0, part / whole)) if whole else 0.0


def _times(start: datetime, whole: timedelta, *, is_over: bool) -> tuple[str, ...]:
    marks = [_clock(start + whole * number / (_LABELS - 1)) for number in range(_LABELS)]
    return tuple(marks) if is_over else (*marks[:-1], "now")


def _table(rates: Sequence[float], start: datetime, slot_seconds: int) -> tuple[tuple[str, str, str], ...]:
    size = math.ceil(len(rates) / _TABLE_ROWS)
    rows = []
    for first in range(0, len(rates), size):
        part = rates[first : first + size]
        begin = start + timedelta(seconds=first * slot_seconds)
        finish = begin + timedelta(seconds=len(part) * slot_seconds)
        rows.append((_clock(begin), _clock(finish), f"{sum(part) / len(part):,.0f}"))
    return tuple(rows)


def _clock(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%H:%M:%S")
