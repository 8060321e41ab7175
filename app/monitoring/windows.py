"""When a run is watched after it is done: an hour, a day, a week; as data."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.plan.checklist import MONITORING_CHECKLIST, ChecklistItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window of the watch."""

    #: as stored and as the checklist's items name it: "1h"
    id: str
    title: str
    #: from the end of the run
    ends_after: timedelta
    #: between two looks while it is the window that runs
    every: timedelta

    def items(self) -> tuple[ChecklistItem, ...]:
        """The items of the monitoring checklist that are judged at its end."""
        return tuple(item for item in MONITORING_CHECKLIST if item.window == self.id)


#: The snapshot that everything is compared with; taken just before the first change.
BEFORE = "before"
#: In order; each begins with the end of the run.
WINDOWS: tuple[Window, ...] = (
    Window(id="1h", title="The first hour", ends_after=timedelta(hours=1), every=timedelta(minutes=5)),
    Window(id="24h", title="The first day", ends_after=timedelta(hours=24), every=timedelta(hours=1)),
    Window(id="1w", title="The first week", ends_after=timedelta(days=7), every=timedelta(hours=6)),
)


def window(window_id: str) -> Window:
    """The window of that id.

    Raises KeyError where there is none.
    """
    for found in WINDOWS:
        if found.id == window_id:
            return found
    raise KeyError(window_id)


def window_at(finished_at: datetime, now: datetime) -> Window | None:
    """The window that runs now; None after the last one."""
    return next((found for found in WINDOWS if now < finished_at + found.ends_after), None)


def is_over(window_id: str, finished_at: datetime, now: datetime) -> bool:
    """True once the window has ended."""
    return now >= finished_at + window(window_id).ends_after


def due(finished_at: datetime, taken: Iterable[tuple[str, datetime]], now: datetime) -> str | None:
    """The window for which a snapshot has to be taken now, by what was taken already (window, when); None where none is due.

    The end of a window is always looked at, be it late: a week without a worker still closes its windows.
    """
    looks = sorted(at for name, at in taken if name != BEFORE)
    for found in WINDOWS:
        ended = finished_at + found.ends_after
        if now >= ended and not any(name == found.id and at >= ended for name, at in taken):
            return found.id
    running = window_at(finished_at, now)
    if running is None:
        return None
    return running.id if not looks or now - looks[-1] >= running.every else None
