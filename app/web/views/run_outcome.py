"""How a run went, told once it has ended: what its events add up to, and what verification and watch found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, func, select
from sqlalchemy.orm import Session

from app.run.states import RunState
from app.store.tables import Run
from app.store.tables.events import RunEvent
from app.store.tables.snapshots import MonitoringItem
from app.store.tables.snapshots import Verification as VerificationRow
from app.store.words import Direction, ItemState
from app.web.formats import count, plural, span

_TRIED_AGAIN = ("lock_not_granted", "attempt_failed", "queue_yielded")
_COUNTED = ("statement_finished", "backfill_finished", "run_taken_over", *_TRIED_AGAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run went."""

    #: (label, value, note)
    figures: tuple[tuple[str, str, str], ...]
    #: state and sentence of the verification; None where nothing was verified
    verified: tuple[str, str] | None
    #: how many items of the watch stand how, in words; "" where nothing is watched
    watched: str


def outcome_of(session: Session, run: Run) -> Outcome:
    """The outcome of a run that has nothing left to do."""
    return Outcome(
        figures=_figures(run, _totals(session, run.id)),
        verified=_verified(session, run) if run.direction is Direction.FORWARD else None,
        watched=_watched(session, run) if run.direction is Direction.FORWARD else "",
    )


def _totals(session: Session, run_id: int) -> Mapping[str, tuple[int, int]]:
    """Type of event -> how many there are, and the rows that they changed."""
    rows_changed = func.coalesce(func.sum(RunEvent.payload["rows_changed"].astext.cast(BigInteger)), 0)
    found = session.execute(
        select(RunEvent.type, func.count(), rows_changed)
        .where(RunEvent.run_id == run_id, RunEvent.type.in_(_COUNTED))
        .group_by(RunEvent.type)
    )
    return {name: (number, int(changed)) for name, number, changed in found}


def _figures(run: Run, totals: Mapping[str, tuple[int, int]]) -> tuple[tuple[str, str, str], ...]:
    def how_many(*names: str) -> int:
        return sum(totals.get(name, (0, 0))[0] for name in names)

    end = run.finished_at or run.state_since
    took = span((end - run.started_at).total_seconds()) if run.started_at else "not begun"
    found = [
        ("Took", took, "waits included" if run.started_at else ""),
        ("Statements", count(how_many("statement_finished")), ""),
    ]
    if "backfill_finished" in totals:
        found.append(("Rows filled", count(totals["backfill_finished"][1]), ""))
    found.append(("Tried again", count(how_many(*_TRIED_AGAIN)), "for a lock, or after a conflict"))
    if taken := how_many("run_taken_over"):
        found.append(("Taken over", count(taken), "from a worker that fell silent"))
    return tuple(found)


def _verified(session: Session, run: Run) -> tuple[str, str] | None:
    sentence: Any = VerificationRow.report["sentence"].astext
    row = session.execute(
        select(VerificationRow.state, sentence)
        .where(VerificationRow.run_id == run.id)
        .order_by(VerificationRow.id.desc())
        .limit(1)
    ).one_or_none()
    return (row[0].value, row[1]) if row else None


_WATCHED = (
    (ItemState.FAILED, "worse"),
    (ItemState.UNKNOWN, "could not be told"),
    (ItemState.PENDING, "not judged"),
    (ItemState.OVERRIDDEN, "overridden"),
    (ItemState.PASSED, "fine"),
)


def _watched(session: Session, run: Run) -> str:
    rows = session.execute(
        select(MonitoringItem.state, func.count()).where(MonitoringItem.run_id == run.id).group_by(MonitoringItem.state)
    )
    counts: dict[ItemState, int] = {row[0]: row[1] for row in rows}
    total = sum(counts.values())
    is_watched = run.state is RunState.MONITORING
    said = ", ".join(
        f"{counts[state]} {'not due yet' if state is ItemState.PENDING and is_watched else word}"
        for state, word in _WATCHED
        if counts.get(state)
    )
    return f"{plural(total, 'item')}: {said}." if total else ""
