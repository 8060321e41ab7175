"""What was predicted on one database against what happened there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.actions.permissions import Permission
from app.actions.work import Work
from app.analysis.calibration import MEMORY, Score, learn, score
from app.analysis.duration import ASSUMED, WORK_CLASSES, Rate
from app.errors import NotFoundError
from app.store import estimates
from app.store.tables import Estimate, Plan, Run, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateLine:
    """One statement that ran."""

    run_id: int
    plan: str
    step: str
    command: str
    relation: str
    work: str
    table_bytes: int
    low_ms: float
    expected_ms: float
    high_ms: float
    real_ms: float
    #: share of the real duration that the estimate was off by; None where the round trip is all that took time
    error: float | None
    is_within: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLine:
    """How long one class of work takes per MiB here."""

    work: str
    rate: Rate
    assumed: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatesPage:
    """The estimates of one database, scored."""

    target: Target
    score: Score
    lines: tuple[EstimateLine, ...]
    rates: tuple[RateLine, ...]

    def as_json(self) -> Mapping[str, Any]:
        """For scripts."""
        return {
            "target_id": self.target.id,
            "count": self.score.count,
            "median_error": self.score.median_error,
            "sentence": self.score.sentence(),
            "rates": [
                {"work": line.work, "expected_ms_per_mib": round(line.rate.expected, 3), "measured": line.rate.measured}
                for line in self.rates
            ],
            "estimates": [
                {name: getattr(line, name) for name in EstimateLine.__dataclass_fields__ if name != "at"}
                | {"at": line.at.isoformat()}
                for line in self.lines
            ],
        }


def estimates_page(work: Work, target_id: int) -> EstimatesPage:
    """The estimates of one database.

    Raises NotFoundError, NotAllowedError.
    """
    target = work.session.get(Target, target_id)
    if target is None:
        raise NotFoundError("There is no such database, or it belongs to a project you are not a member of.")
    work.actor.require(target.project_id, Permission.VIEW)
    known = estimates.outcomes(work.session, target_id)
    rates = learn(known)
    return EstimatesPage(
        target=target,
        score=score(known),
        lines=_lines(work, target_id),
        rates=tuple(RateLine(work=name, rate=rates[name], assumed=ASSUMED[name]) for name in WORK_CLASSES if name in rates),
    )


def _lines(work: Work, target_id: int) -> tuple[EstimateLine, ...]:
    rows = estimates.newest(work.session, target_id, limit=MEMORY)
    runs = {row.run_id for row in rows}
    found = work.session.execute(select(Run.id, Plan.name).join(Plan, Plan.id == Run.plan_id).where(Run.id.in_(runs)))
    names = {number: name for number, name in found}  # noqa: C416  # a row of the database is no pair to dict()
    return tuple(_line(row, names.get(row.run_id, "")) for row in rows)


def _line(row: Estimate, plan: str) -> EstimateLine:
    outcome = estimates.outcome_of(row)
    return EstimateLine(
        run_id=row.run_id,
        plan=plan,
        step=row.step_id,
        command=row.command,
        relation=row.relation,
        work=row.work or "several kinds of work",
        table_bytes=row.table_bytes,
        low_ms=row.low_ms,
        expected_ms=row.expected_ms,
        high_ms=row.high_ms,
        real_ms=row.real_ms,
        error=abs(row.expected_ms - row.real_ms) / row.real_ms if outcome.tells else None,
        is_within=row.low_ms <= row.real_ms <= row.high_ms,
        at=row.at,
    )
