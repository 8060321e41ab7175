"""Runs: state, events, and every button."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from app.actions.cancel_run import cancel_run
from app.actions.change_speed import change_speed
from app.actions.close_monitoring import close_monitoring
from app.actions.open_gate import open_gate
from app.actions.pause_run import pause_run
from app.actions.resume_run import resume_run
from app.actions.retry_step import retry_step
from app.actions.roll_back_run import roll_back_run
from app.actions.set_monitoring_item import set_monitoring_item
from app.actions.skip_step import skip_step
from app.actions.undoing import Scope
from app.contract import event_line
from app.store.events import events_since
from app.store.snapshots import items, metrics, newest_verification
from app.store.tables import Run, RunGauge
from app.web.dependencies import SignedIn
from app.web.views.runs import run_page

router = APIRouter(tags=["runs"])
MOST_EVENTS = 1000


class Said(BaseModel):
    """A reason or a note; which one it is depends on the verb."""

    text: str = ""
    step: str = ""


class ItemSet(BaseModel):
    """An item of the monitoring checklist, judged by a person."""

    item_id: str
    window: str
    state: str
    note: str = ""


class Speed(BaseModel):
    """How fast backfills go."""

    profile: str | None = None
    max_rate: int | None = None


class Undoing(BaseModel):
    """What is rolled back; the target's name is typed."""

    target: str
    scope: Scope = "all"
    of: str = ""


@router.get("/runs/{run_id}")
def show(work: SignedIn, run_id: int) -> dict[str, Any]:
    """A run: state, steps, latest figures."""
    page = run_page(work, run_id)
    gauge = work.session.get(RunGauge, run_id)
    return {
        "id": run_id,
        "key": str(page.run.key),
        "plan": page.plan_id,
        "digest": page.digest,
        "target_id": page.target_id,
        "direction": page.run.direction,
        "state": page.run.state,
        "reason": page.run.reason,
        "current_step": page.run.current_step,
        "last_event": page.number,
        "steps": [
            {"id": row.step_id, "title": row.title, "kind": row.kind, "state": row.state, "attempts": row.attempts}
            for row in page.timeline
        ],
        "figures": gauge.payload if gauge else None,
    }


@router.get("/runs/{run_id}/events")
def events(
    work: SignedIn,
    run_id: int,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_EVENTS)] = MOST_EVENTS,
) -> dict[str, Any]:
    """What happened after an event's number, in order."""
    run_page(work, run_id)
    rows = events_since(work.session, run_id, after, limit=limit)
    return {"events": [event_line(number, at, event) for number, at, event in rows]}


@router.get("/runs/{run_id}/verification")
def verification(work: SignedIn, run_id: int) -> dict[str, Any]:
    """The result compared with the plan."""
    run_page(work, run_id)
    row = newest_verification(work.session, run_id)
    return {"state": row.state if row else None, "report": row.report if row else None}


@router.get("/runs/{run_id}/monitoring")
def monitoring(work: SignedIn, run_id: int) -> dict[str, Any]:
    """Which figures were taken, and the monitoring checklist."""
    run_page(work, run_id)
    return {
        "snapshots": [
            {"id": row.id, "window": row.window, "taken_at": row.taken_at, "verdict": row.verdict}
            for row in metrics(work.session, run_id)
        ],
        "checklist": [
            {"id": row.item_id, "window": row.window, "state": row.state, "figures": row.figures}
            for row in items(work.session, run_id)
        ],
    }


def _state(run: Run) -> dict[str, Any]:
    return {"run": run.id, "state": run.state, "reason": run.reason}


@router.post("/runs/{run_id}/pause")
def pause(work: SignedIn, run_id: int) -> dict[str, Any]:
    """Stop at the next safe point."""
    return _state(pause_run(work, run_id=run_id))


@router.post("/runs/{run_id}/resume")
def resume(work: SignedIn, run_id: int) -> dict[str, Any]:
    """Go on."""
    return _state(resume_run(work, run_id=run_id))


@router.post("/runs/{run_id}/cancel")
def cancel(work: SignedIn, run_id: int, body: Said) -> dict[str, Any]:
    """Stop for good."""
    return _state(cancel_run(work, run_id=run_id, reason=body.text))


@router.post("/runs/{run_id}/retry")
def retry(work: SignedIn, run_id: int, body: Said) -> dict[str, Any]:
    """Try the failed step again."""
    return _state(retry_step(work, run_id=run_id, step_id=body.step or None))


@router.post("/runs/{run_id}/skip")
def skip(work: SignedIn, run_id: int, body: Said) -> dict[str, Any]:
    """Go on without the failed step."""
    return _state(skip_step(work, run_id=run_id, step_id=body.step, reason=body.text))


@router.post("/runs/{run_id}/open-gate")
def gate(work: SignedIn, run_id: int, body: Said) -> dict[str, Any]:
    """Confirm what the gate asks."""
    return _state(open_gate(work, run_id=run_id, step_id=body.step, note=body.text))


@router.post("/runs/{run_id}/speed")
def speed(work: SignedIn, run_id: int, body: Speed) -> dict[str, Any]:
    """Faster or slower."""
    return _state(change_speed(work, run_id=run_id, profile=body.profile, max_rate=body.max_rate))


@router.post("/runs/{run_id}/roll-back", status_code=201)
def roll_back(work: SignedIn, run_id: int, body: Undoing) -> dict[str, Any]:
    """Undo what was done, as a run of its own."""
    return _state(roll_back_run(work, run_id=run_id, target_name=body.target, scope=body.scope, of=body.of))


@router.post("/runs/{run_id}/monitoring/items")
def set_item(work: SignedIn, run_id: int, body: ItemSet) -> dict[str, Any]:
    """Set an item of the monitoring checklist by hand."""
    row = set_monitoring_item(work, run_id=run_id, item_id=body.item_id, window=body.window, state=body.state, note=body.note)
    return {"id": row.item_id, "window": row.window, "state": row.state}


@router.post("/runs/{run_id}/close")
def close(work: SignedIn, run_id: int, body: Said) -> dict[str, Any]:
    """End the watch."""
    return _state(close_monitoring(work, run_id=run_id, note=body.text))
