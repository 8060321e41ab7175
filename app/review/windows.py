"""Maintenance windows: when runs may make changes, by the week, in UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PARTS = 3
_DAYS_TO_LOOK_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Window:
    """From a time of one weekday to a time of the same day, or of the next where that is earlier; in UTC."""

    weekday: str
    opens: time
    closes: time

    def as_json(self) -> list[str]:
        """Weekday, from, to."""
        return [self.weekday, self.opens.isoformat("minutes"), self.closes.isoformat("minutes")]

    def span(self, day: datetime) -> tuple[datetime, datetime]:
        """When the window that begins on that day opens and closes."""
        begin = datetime.combine(day.date(), self.opens, tzinfo=UTC)
        end = datetime.combine(day.date(), self.closes, tzinfo=UTC)
        return begin, end if end > begin else end + timedelta(days=1)


def parse_window(value: Any) -> Window:
    """A window from ``["saturday", "22:00", "02:00"]``.

    Raises ValueError that says what is wrong.
    """
    if isinstance(value, str) or len(value) != _PARTS or value[0] not in WEEKDAYS:
        raise ValueError("A window is a weekday in English and two times in UTC, say saturday 22:00 02:00.")
    try:
        return Window(value[0], time.fromisoformat(value[1]), time.fromisoformat(value[2]))
    except (ValueError, TypeError):
        raise ValueError(f"'{value[1]}' or '{value[2]}' is not a time of the form 22:00.") from None


def next_opening(windows: Sequence[Window], now: datetime) -> datetime | None:
    """When the next window opens; None where one is open now, or where there are none at all."""
    if not windows or open_until(windows, now) is not None:
        return None
    spans = (
        window.span(now + timedelta(days=ahead))
        for ahead in range(_DAYS_TO_LOOK_AHEAD)
        for window in windows
        if window.weekday == WEEKDAYS[(now + timedelta(days=ahead)).weekday()]
    )
    return min(begin for begin, _ in spans if begin > now)


def open_until(windows: Sequence[Window], now: datetime) -> datetime | None:
    """When the window that is open now closes; None where none is open."""
    now = now.astimezone(UTC)
    closing = [
        end
        for window in windows
        for day in (now - timedelta(days=1), now)
        if window.weekday == WEEKDAYS[day.weekday()]
        for begin, end in (window.span(day),)
        if begin <= now < end
    ]
    return max(closing, default=None)
