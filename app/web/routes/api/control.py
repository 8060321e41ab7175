"""Who drives a run, aborting it, what a rollback would do, and ending a session in its way."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from app.actions.abort_run import abort_run
from app.actions.ask_control import ask_control
from app.actions.end_session import end_session
from app.actions.hand_over_control import decline_control, hand_over_control
from app.actions.review_control import review_control
from app.actions.take_control import take_control
from app.store.tables import Run
from app.web.dependencies import SignedIn
from app.web.views.control import control_of
from app.web.views.runs import run_page

router = APIRouter(prefix="/runs/{run_id}", tags=["runs"])


class Aborting(BaseModel):
    """A run that is stopped and undone; the target's name is typed."""

    target: str
    text: str = ""


class Remark(BaseModel):
    """A note or a reason; which one it is depends on the verb."""

    text: str = ""


class HandedOver(BaseModel):
    """Who drives the run from now on, or who does not."""

    person: int
    text: str = ""


class Reviewed(BaseModel):
    """What is to be said of a control that was taken."""

    handover: int
    text: str


class Ending(BaseModel):
    """The very session that is ended, as the run's control names it."""

    pid: int
    backend_start: str
    text: str


def _driven(run: Run) -> dict[str, Any]:
    return {"run": run.id, "state": run.state, "driver": run.driver_id}


@router.get("/control")
def show(work: SignedIn, run_id: int) -> dict[str, Any]:
    """Who drives it, who asks, what is to be reviewed, which sessions stand in the way."""
    return control_of(work, run_page(work, run_id)).as_json()


@router.get("/way-back")
def way_back(work: SignedIn, run_id: int) -> dict[str, Any]:
    """What may be rolled back: everything, a phase, a step; where each would stop, and what would stay done."""
    return {"choices": [choice.as_json() for choice in run_page(work, run_id).back]}


@router.post("/abort")
def abort(work: SignedIn, run_id: int, body: Aborting) -> dict[str, Any]:
    """Stop at the next safe point and undo what was done; answers the rollback run once there is one."""
    run = abort_run(work, run_id=run_id, target_name=body.target, reason=body.text)
    return {"run": run.id, "state": run.state, "reason": run.reason, "direction": run.direction}


@router.post("/ask-control")
def ask(work: SignedIn, run_id: int, body: Remark) -> dict[str, Any]:
    """Ask for the control."""
    return _driven(ask_control(work, run_id=run_id, note=body.text))


@router.post("/hand-over")
def hand_over(work: SignedIn, run_id: int, body: HandedOver) -> dict[str, Any]:
    """Hand the control over."""
    return _driven(hand_over_control(work, run_id=run_id, to=body.person, note=body.text))


@router.post("/decline-control")
def decline(work: SignedIn, run_id: int, body: HandedOver) -> dict[str, Any]:
    """Keep the control that a person asked for."""
    return _driven(decline_control(work, run_id=run_id, person_id=body.person, note=body.text))


@router.post("/take-control")
def take(work: SignedIn, run_id: int, body: Remark) -> dict[str, Any]:
    """Take the control, with a reason that somebody else reviews."""
    return _driven(take_control(work, run_id=run_id, reason=body.text))


@router.post("/review-control")
def review(work: SignedIn, run_id: int, body: Reviewed) -> dict[str, Any]:
    """Review a control that was taken."""
    row = review_control(work, run_id=run_id, handover_id=body.handover, note=body.text)
    return {"handover": row.id, "reviewed_at": row.reviewed_at}


@router.post("/end-session", status_code=202)
def end(work: SignedIn, run_id: int, body: Ending) -> dict[str, Any]:
    """Have the session in the way ended, by a worker."""
    wish = end_session(work, run_id=run_id, pid=body.pid, backend_start=body.backend_start, reason=body.text)
    return {"pid": wish.pid, "backend_start": wish.backend_start, "outcome": wish.outcome}
