"""All looks of a run's watch -> one comparison, one verdict, and the whole checklist judged; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from app.monitoring.checklist import evaluate
from app.monitoring.compare import compare
from app.monitoring.differences import Comparison
from app.monitoring.evidence import Evidence, Judgement
from app.monitoring.figures import Snapshot
from app.monitoring.intervals import seconds_between
from app.monitoring.scope import fingerprints_of
from app.monitoring.verdict import Thresholds, Verdict, verdict
from app.monitoring.windows import BEFORE
from app.plan.model import Plan
from app.verification.expectations import expectations

#: An earlier look before the run narrows the time before only where it is at least so far away.
_LEAST_BASELINE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One stored snapshot: the window it was taken for (``before``, ``1h``, ..., ``now``) and what it found."""

    window: str
    snapshot: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What the watch says as of now."""

    judgements: tuple[Judgement, ...]
    comparison: Comparison | None = None
    verdict: Verdict | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON values: what is kept beside the newest look."""
        return asdict(self)


def judge_watch(
    looks: Sequence[Look],
    *,
    plan: Plan,
    evidence: Evidence,
    finished_at: datetime,
    now: datetime,
    thresholds: Thresholds | None = None,
) -> Watch:
    """Compare the looks and judge the checklist; ``evidence`` brings what is no figure: events, verification, integrity."""
    compared = compared_looks(looks, plan)
    judged = verdict(compared, thresholds) if compared else None
    loose = evidence.integrity.unvalidated if evidence.integrity else ()
    known = replace(evidence, comparison=compared, verdict=judged, loose_on_purpose=_on_purpose(loose, plan))
    return Watch(judgements=evaluate(known, finished_at=finished_at, now=now), comparison=compared, verdict=judged)


def compared_looks(looks: Iterable[Look], plan: Plan) -> Comparison | None:
    """The newest look against the last one before the run; None where either is missing.

    The first look after the run is where the time after begins, once there is another: the run's work is not the application's.
    """
    ordered = sorted(looks, key=lambda look: datetime.fromisoformat(look.snapshot.taken_at))
    before = [look.snapshot for look in ordered if look.window == BEFORE]
    after = [look.snapshot for look in ordered if look.window != BEFORE]
    if not before or not after:
        return None
    last = before[-1]
    baseline = (look for look in before[:-1] if seconds_between(look.taken_at, last.taken_at) >= _LEAST_BASELINE_SECONDS)
    since = after[0] if len(after) > 1 else None
    return compare(last, after[-1], earlier=next(baseline, None), since=since, ignore=fingerprints_of(plan))


def _on_purpose(unvalidated: Iterable[str], plan: Plan) -> frozenset[str]:
    """Those that the plan leaves unvalidated; it may have named them without their schema."""
    loose = expectations(plan).loose
    return frozenset(name for name in unvalidated if any(name == written or name.endswith(f".{written}") for written in loose))
