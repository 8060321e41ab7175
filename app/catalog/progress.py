"""An honest bar for one long statement, from PostgreSQL's progress views.

Honest means: it never goes back, never shows 100 % before the statement returned, and says "no counter" where PostgreSQL has
none. The plain percentage of blocks or tuples jumps back once or twice per index build and can begin at 100 %; weighing the
phases does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.catalog.ask import Connection, ask
from app.catalog.phases import WAITING, Phases, phase_fraction, phases_for, words_for

#: A bar that is full before the statement returned would be a lie.
_ALMOST = 0.99
#: How wrong the bar was on average, and from where on it is worth an estimate.
_USUAL_ERROR = 0.09
_ESTIMATE_FROM = 0.1
_ESTIMATE_AFTER_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementProgress:
    """How far a statement is."""

    #: the view it comes from: ``pg_stat_progress_create_index``
    source: str
    relation: str | None
    #: PostgreSQL's name of the phase; None where the role may not see it
    phase: str | None
    #: what it is doing, in words: "sorting (no counter in PostgreSQL)"
    doing: str
    #: 0 to 0.99, over all phases; None where nothing honest can be said
    fraction: float | None = None
    #: 0 to 1, of this phase; None where PostgreSQL does not count it
    phase_fraction: float | None = None
    #: "3/5", or None where the phase is not in the list
    phase_number: str | None = None
    #: low and high estimate; only after 10 % and five seconds
    eta_seconds: tuple[float, float] | None = None
    running_seconds: float | None = None
    is_waiting: bool = False
    #: the session that is waited for
    waits_for_pid: int | None = None
    lockers_done: int | None = None
    lockers_total: int | None = None
    bytes_done: int | None = None
    bytes_total: int | None = None
    rows_done: int | None = None


@dataclass(slots=True)
class ProgressBar:
    """The bar of one statement: feed it every row that is seen, in order."""

    #: shares of the phases measured in a rehearsal of the same statement, instead of the usual ones
    weights: Phases | None = None
    best: float = 0.0
    _phase: str | None = field(default=None, init=False)
    _seen: int = field(default=0, init=False)

    def feed(self, row: Mapping[str, Any]) -> StatementProgress:
        """The state of the statement after one more row of ``queries/progress.sql``."""
        source, figures = row["source"], row["row"]
        phase: str | None = figures.get("phase")
        if phase is None and source != "pg_stat_progress_copy":
            return StatementProgress(source=source, relation=row["relation"], phase=None, doing="hidden from this role")
        self._count(phase)
        phases = self.weights if self.weights and phase in dict(self.weights) else phases_for(source, figures)
        part = self._part(source, figures, row["estimated_rows"])
        position = next((number for number, (name, _) in enumerate(phases) if name == phase), None)
        if position is not None:
            reached = sum(weight for _, weight in phases[:position]) + phases[position][1] * (part or 0.0)
            self.best = max(self.best, min(reached, _ALMOST))
        is_waiting = phase in WAITING
        return StatementProgress(
            source=source,
            relation=row["relation"],
            phase=phase,
            doing=words_for(phase, figures, part),
            fraction=round(self.best, 4) if position is not None or self.best else None,
            phase_fraction=None if part is None else round(part, 4),
            phase_number=None if position is None else f"{position + 1}/{len(phases)}",
            eta_seconds=_eta(self.best, row["running_seconds"], is_waiting=is_waiting),
            running_seconds=row["running_seconds"],
            is_waiting=is_waiting,
            waits_for_pid=(figures.get("current_locker_pid") or None) if is_waiting else None,
            lockers_done=figures.get("lockers_done") if is_waiting else None,
            lockers_total=figures.get("lockers_total") if is_waiting else None,
            bytes_done=figures.get("bytes_processed"),
            bytes_total=figures.get("bytes_total") or None,
            rows_done=figures.get("tuples_processed") if source == "pg_stat_progress_copy" else None,
        )

    def _count(self, phase: str | None) -> None:
        if phase != self._phase:
            self._phase, self._seen = phase, 0
        self._seen += 1

    def _part(self, source: str, figures: Mapping[str, Any], estimated_rows: float | None) -> float | None:
        part = phase_fraction(source, figures, estimated_rows)
        # the first row of a scan can show the counters of the scan before: all blocks done
        is_artefact = part == 1.0 and self._seen == 1 and "scanning" in (self._phase or "")
        return None if is_artefact else part


def read_progress(connection: Connection, pid: int, bar: ProgressBar | None = None) -> StatementProgress | None:
    """How far the backend's statement is; None where PostgreSQL keeps no count of it.

    Hand in the same ``bar`` at every look at one statement: without it the fraction may go back.
    """
    rows: Sequence[dict[str, Any]] = ask(connection, "progress", {"pid": pid})
    return (bar or ProgressBar()).feed(rows[0]) if rows else None


def _eta(fraction: float, running: float | None, *, is_waiting: bool) -> tuple[float, float] | None:
    """A range as wide as the bar's measured error (0.26 at most, 0.09 on average)."""
    if running is None or is_waiting or fraction < _ESTIMATE_FROM or running < _ESTIMATE_AFTER_SECONDS:
        return None
    low, high = min(fraction + _USUAL_ERROR, _ALMOST), max(fraction - _USUAL_ERROR, 0.05)
    return round(running * (1 - low) / low, 1), round(running * (1 - high) / high, 1)
