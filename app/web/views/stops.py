"""The rail: Draft, Analysed, Rehearsed, Approved, Armed, Running, Verified and watched; each with state, time and evidence."""

from dataclasses import dataclass
from datetime import datetime

from app.review.approvals import Judged, Tally
from app.review.readiness import Ready
from app.run.states import RunState
from app.store.words import JobState, PlanState
from app.web.views.standing import Standing

_OK, _MOVING, _WARN, _BAD, _TODO = "is-ok", "is-moving", "is-warn", "is-bad", "is-todo"
_UNDER_WAY = (JobState.QUEUED, JobState.RUNNING)
_WAITING = (
    RunState.WAITING_GATE,
    RunState.PAUSED,
    RunState.PAUSING,
    RunState.WAITING_TARGET,
    RunState.SCHEDULED,
    RunState.WAITING_WINDOW,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One stop of the rail."""

    name: str
    css: str
    icon: str
    text: str
    at: datetime | None
    href: str


def all_stops(now: Standing) -> tuple[Stop, ...]:
    """The seven stops in their order."""
    return (_draft(now), _analysed(now), _rehearsed(now), _approved(now), _armed(now), _running(now), _watched(now))


def _stop(now: Standing, name: str, css: str, text: str, path: str, *, at: datetime | None = None, icon: str = "") -> Stop:
    shown = icon or {_OK: "check", _WARN: "hand", _BAD: "x"}.get(css, "")
    href = path if path.startswith("/runs/") else f"/plans/{now.plan.id}{path}{now.query}"
    return Stop(name=name, css=css, icon=shown, text=text, at=at, href=href)


def _draft(now: Standing) -> Stop:
    text = f"revision {now.revision.number}"
    if now.plan.state is PlanState.REJECTED:
        return _stop(now, "Draft", _BAD, f"{text}, changes requested", "/review", icon="pencil")
    return _stop(now, "Draft", _OK, text, "/revisions", at=now.revision.created_at)


def _analysed(now: Standing) -> Stop:
    row = now.analysis
    if row is None:
        return _stop(now, "Analysed", _TODO, "not yet", "/analysis")
    if row.state in _UNDER_WAY:
        return _stop(now, "Analysed", _MOVING, "under way", "/analysis")
    if row.state is JobState.FAILED:
        return _stop(now, "Analysed", _BAD, "failed", "/analysis", at=row.finished_at)
    risk = f"{(row.report or {}).get('risk', 'unknown')} risk"
    if now.facts is not None and now.facts.analysis_is_old:
        text = f"{risk}, before the schema changed"
        return _stop(now, "Analysed", _WARN, text, "/analysis", at=row.finished_at, icon="history")
    return _stop(now, "Analysed", _OK, risk, "/analysis", at=row.finished_at)


def _rehearsed(now: Standing) -> Stop:
    row = now.rehearsal
    if row is None:
        needed = now.facts is not None and now.facts.policy.rehearsal_required
        return _stop(now, "Rehearsed", _TODO, "not yet" if needed else "not asked for", "/rehearsal")
    if row.state in _UNDER_WAY:
        return _stop(now, "Rehearsed", _MOVING, "under way", "/rehearsal")
    if row.state is JobState.FAILED or not row.ok:
        return _stop(
            now,
            "Rehearsed",
            _BAD,
            "found something" if row.state is JobState.DONE else "failed",
            "/rehearsal",
            at=row.finished_at,
        )
    if now.facts is not None and now.facts.rehearsal_is_old:
        text = "went well, before the schema changed"
        return _stop(now, "Rehearsed", _WARN, text, "/rehearsal", at=row.finished_at, icon="history")
    return _stop(now, "Rehearsed", _OK, "went well", "/rehearsal", at=row.finished_at)


def _approved(now: Standing) -> Stop:
    if now.readiness is None:
        return _stop(now, "Approved", _TODO, "no target yet", "/review")
    count = now.readiness.approvals
    if count.objections:
        first = count.objections[0]
        return _stop(now, "Approved", _BAD, f"{first.person} asks for changes", "/review", at=first.at)
    if any(missing.gate == "approvals" for missing in now.readiness.overridden):
        return _stop(now, "Approved", _WARN, "overridden", "/review")
    if not count.enough:
        return _not_approved(now, count)
    last = max((judged.decision.at for judged in count.approvals if judged.counts), default=None)
    text = f"{count.given} of {count.needed}" if count.needed else "none asked for"
    return _stop(now, "Approved", _OK, text, "/review", at=last)


def _not_approved(now: Standing, count: Tally) -> Stop:
    text = f"{count.given} of {count.needed}"
    stale = [judged for judged in count.approvals if not judged.counts]
    if stale:
        return _stop(now, "Approved", _WARN, f"{text}, {_stale_words(stale)}", "/review", icon="history")
    if now.plan.state is PlanState.IN_REVIEW:
        return _stop(now, "Approved", _WARN, f"{text}, in review", "/review", icon="eye")
    return _stop(now, "Approved", _TODO, text, "/review")


def _stale_words(stale: list[Judged]) -> str:
    """What became of approvals that no longer count, in as few words as a stop has room for."""
    if len(stale) == 1:
        why = stale[0].not_counted[0].rstrip(".")
        return f"{stale[0].decision.person}'s no longer counts: {why[:1].lower()}{why[1:]}"
    return f"{len(stale)} no longer count"


def _armed(now: Standing) -> Stop:
    if now.readiness is None:
        return _stop(now, "Armed", _TODO, "no target yet", "/checklist")
    items = now.readiness.checklist
    if now.done is not None:
        return _stop(now, "Armed", _OK, f"when run {now.done.id} began", "/checklist", at=now.done.started_at)
    text = f"{sum(item.is_ticked for item in items)} of {len(items)} ticked"
    if isinstance(now.readiness, Ready):
        overridden = len(now.readiness.overridden)
        return _stop(
            now, "Armed", _WARN if overridden else _OK, f"{text}, {overridden} overridden" if overridden else text, "/checklist"
        )
    return _stop(now, "Armed", _TODO, text, "/checklist")


def _running(now: Standing) -> Stop:
    run = now.run
    if run is None:
        return _stop(now, "Running", _TODO, "not started", "/runs")
    path, words = f"/runs/{run.id}", run.state.words
    if now.done is None and now.holding is None and run.state in (RunState.MONITORING, RunState.COMPLETED):
        return _stop(now, "Running", _TODO, f"run {run.id} did an earlier revision", path, at=run.finished_at or run.state_since)
    if run.state in (RunState.MONITORING, RunState.COMPLETED):
        return _stop(now, "Running", _OK, f"run {run.id} done", path, at=run.finished_at or run.state_since)
    if run.state is RunState.FAILED:
        return _stop(now, "Running", _BAD, f"run {run.id} failed", path, at=run.state_since)
    if run.state in (RunState.CANCELLED, RunState.ROLLED_BACK):
        return _stop(now, "Running", _TODO, f"run {run.id} {words}", path, at=run.state_since)
    return _stop(now, "Running", _WARN if run.state in _WAITING else _MOVING, f"run {run.id} {words}", path, at=run.state_since)


def _watched(now: Standing) -> Stop:
    run, name = now.done or now.holding, "Verified and watched"
    if run is None or now.verification is None:
        return _stop(now, name, _TODO, "after the run", "/runs")
    if now.verification == "failed":
        return _stop(now, name, _BAD, "verification failed", f"/runs/{run.id}/verification")
    if run.state is RunState.MONITORING:
        return _stop(now, name, _MOVING, "verified, being watched", f"/runs/{run.id}/monitoring", at=run.state_since)
    if now.verification != "passed":
        return _stop(now, name, _WARN, "the verification could not tell", f"/runs/{run.id}/verification", at=run.finished_at)
    return _stop(now, name, _OK, "as planned, and watched", f"/runs/{run.id}/monitoring", at=run.finished_at)
