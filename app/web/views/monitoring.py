"""The watch of a run: the verdict in a sentence, statements before and after, tables, indexes, database, checklist."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.actions.permissions import Permission
from app.actions.work import Work
from app.monitoring.differences import Comparison, DatabaseDifference, IndexDifference, TableDifference
from app.monitoring.verdict import Verdict
from app.monitoring.windows import WINDOWS, is_over
from app.plan.checklist import ChecklistItem
from app.run.states import RunState
from app.store import snapshots
from app.store.tables import Person
from app.store.tables.snapshots import MetricSnapshot, MonitoringItem
from app.store.words import ItemState
from app.store.words import Window as StoredWindow
from app.web.formats import count, plural
from app.web.views.dumbbells import SHOWN, Dumbbell, Tick, dumbbells, ticks
from app.web.views.runs import RunPage

_TONES = {
    "fine": ("is-ok", "circle-check", "Nothing got worse"),
    "watch": ("is-warn", "eye", "Keep an eye on it"),
    "worse": ("is-bad", "trending-down", "Something got worse"),
    "unknown": ("is-warn", "circle-question-mark", "It can't be told yet"),
}
_GOOD = (ItemState.PASSED, ItemState.OVERRIDDEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedItem:
    """One item of the monitoring checklist."""

    id: str
    text: str
    evidence: str
    state: ItemState
    #: what Headgate found, with the numbers in it
    sentence: str
    #: who set it by hand, "" where nobody did
    by: str
    note: str
    at: datetime | None
    #: to pass it over Headgate's own finding needs a reason
    needs_reason: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedWindow:
    """One window of the watch with its items."""

    id: str
    title: str
    ends_at: datetime
    is_over: bool
    looks: int
    last_look: datetime | None
    items: tuple[WatchedItem, ...]

    @property
    def css(self) -> str:
        """The tone of the whole window."""
        states = {item.state for item in self.items}
        if ItemState.FAILED in states:
            return "is-bad"
        if states <= set(_GOOD):
            return "is-ok"
        return "is-warn" if self.is_over else "is-moving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of the database before and after."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPage:
    """Everything that the watch of a run says."""

    tone: str
    icon: str
    sentence: str
    reasons: tuple[str, ...]
    looked_at: datetime | None
    before_at: datetime | None
    comparison: Comparison | None
    control: str
    rows: tuple[Dumbbell, ...]
    #: as many of them as are drawn
    drawn: int
    #: of the scale that they share
    ticks: tuple[Tick, ...]
    #: a change below this factor counts as none
    unchanged: float
    tables: tuple[TableDifference, ...]
    indexes: tuple[IndexDifference, ...]
    figures: tuple[Figure, ...]
    windows: tuple[WatchedWindow, ...]
    looks: tuple[MetricSnapshot, ...]
    #: items that are not passed or overridden; ending the watch then needs a note
    open_items: int
    may_monitor: bool
    is_watched: bool


def watch_page(work: Work, page: RunPage) -> WatchPage:
    """The watch of a run as of now."""
    looks = tuple(snapshots.metrics(work.session, page.run.id))
    after = [look for look in looks if look.window is not StoredWindow.BEFORE]
    judged = next((look.verdict for look in reversed(after) if look.verdict), None)
    verdict = Verdict.from_json(judged) if judged else None
    comparison = Comparison.from_json(judged["comparison"]) if judged and "comparison" in judged else None
    tone, icon, sentence = _TONES[verdict.state] if verdict else ("is-idle", "clock", _without(page, looks))
    if verdict and verdict.state == "unknown" and page.run.state is not RunState.MONITORING:
        sentence = "It could not be told"
    rows = dumbbells(comparison, verdict) if comparison and verdict else ()
    windows = _windows(work, page, after)
    return WatchPage(
        tone=tone,
        icon=icon,
        sentence=sentence,
        reasons=_reasons(verdict, comparison),
        looked_at=after[-1].taken_at if after else None,
        before_at=next((look.taken_at for look in reversed(looks) if look.window is StoredWindow.BEFORE), None),
        comparison=comparison,
        control=_control(comparison),
        rows=rows,
        drawn=min(SHOWN, len(rows)),
        ticks=ticks(comparison) if comparison and rows else (),
        unchanged=verdict.thresholds.slower_ratio if verdict else 1.0,
        tables=tuple(comparison.tables.values()) if comparison else (),
        indexes=_sorted_indexes(comparison),
        figures=_figures(comparison.database) if comparison and comparison.database else (),
        windows=windows,
        looks=looks,
        open_items=sum(item.state not in _GOOD for window in windows for item in window.items),
        may_monitor=work.actor.may(page.project_id, Permission.MONITOR),
        is_watched=page.run.state is RunState.MONITORING,
    )


def _without(page: RunPage, looks: Sequence[MetricSnapshot]) -> str:
    if page.run.finished_at is None:
        return "The figures are compared once the run is done"
    return "The figures could not be compared" if looks else "No figures were taken"


def _reasons(verdict: Verdict | None, comparison: Comparison | None) -> tuple[str, ...]:
    if verdict is None or comparison is None:
        return ()
    said = list(verdict.reasons)
    stable = len(verdict.of("same", "better"))
    if stable:
        said.insert(0, f"{stable} of {plural(len(verdict.statements), 'statement')} as fast as before, or faster.")
    return tuple(reason[:1].upper() + reason[1:] for reason in said)


def _control(comparison: Comparison | None) -> str:
    if comparison is None:
        return ""
    if not comparison.control_size:
        return "No other statement was called often enough to serve as a yardstick."
    group = plural(comparison.control_size, "statement")
    return f"Everything else here ({group} off the plan's tables) takes {comparison.control_factor:.2f}x of its time before."


def _sorted_indexes(comparison: Comparison | None) -> tuple[IndexDifference, ...]:
    order = ("gone", "new", "both")
    found = comparison.indexes.values() if comparison else ()
    return tuple(sorted(found, key=lambda row: (row.is_valid, order.index(row.presence), row.relation, row.name)))


def _figures(found: DatabaseDifference) -> tuple[Figure, ...]:
    return (
        Figure(name="Commits a second", before=_number(found.commits_before), after=_number(found.commits_after)),
        Figure(
            name="Rolled back",
            before=_share(found.rollbacks_before, found.transactions_before),
            after=_share(found.rollbacks_after, found.transactions_after),
        ),
        Figure(name="Deadlocks", before=_whole(found.deadlocks_before), after=count(found.deadlocks_after)),
        Figure(name="Sessions", before="not read", after=f"{_whole(found.connections)} of {_whole(found.connections_usable)}"),
        Figure(name="Waiting for locks", before="not read", after=_whole(found.lock_waiters)),
    )


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.1f}"


def _whole(value: int | None) -> str:
    return count(value)


def _share(part: int | None, whole: int | None) -> str:
    return f"{part / whole:.2%} of {whole:,}" if part is not None and whole else "unknown"


def _windows(work: Work, page: RunPage, looks: Sequence[MetricSnapshot]) -> tuple[WatchedWindow, ...]:
    if page.run.finished_at is None:
        return ()
    stored = {(item.item_id, item.window.value): item for item in snapshots.items(work.session, page.run.id)}
    people = _names(work, [item.person_id for item in stored.values() if item.person_id])
    found = []
    for window in WINDOWS:
        taken = [look.taken_at for look in looks if look.window.value == window.id]
        found.append(
            WatchedWindow(
                id=window.id,
                title=window.title,
                ends_at=page.run.finished_at + window.ends_after,
                is_over=is_over(window.id, page.run.finished_at, work.now),
                looks=len(taken),
                last_look=taken[-1] if taken else None,
                items=tuple(_item(item, stored.get((item.id, window.id)), people) for item in window.items()),
            )
        )
    return tuple(found)


def _item(item: ChecklistItem, row: MonitoringItem | None, people: dict[int, str]) -> WatchedItem:
    figures = (row.figures or {}) if row else {}
    state = row.state if row else ItemState.PENDING
    return WatchedItem(
        id=item.id,
        text=item.text,
        evidence=item.evidence,
        state=state,
        sentence=str(figures.get("sentence", "")),
        by=people.get(row.person_id or 0, "") if row else "",
        note=row.note if row else "",
        at=row.evaluated_at if row else None,
        needs_reason=state in (ItemState.FAILED, ItemState.OVERRIDDEN) and bool(figures),
    )


def _names(work: Work, ids: Sequence[int]) -> dict[int, str]:
    if not ids:
        return {}
    rows = work.session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {row.id: row.name for row in rows}
