"""Who drives a run, aborting it, and ending a session in its way: the forms of the run's page."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from app.actions.abort_run import abort_run
from app.actions.ask_control import ask_control
from app.actions.end_session import end_session
from app.actions.hand_over_control import decline_control, hand_over_control
from app.actions.review_control import review_control
from app.actions.take_control import take_control
from app.web.dependencies import Page, SignedIn, go_to
from app.web.forms import SentForm
from app.web.views.control import control_of
from app.web.views.runs import run_page

router = APIRouter(prefix="/runs/{run_id}", include_in_schema=False)


@router.get("/control")
def show(work: SignedIn, page: Page, run_id: int) -> HTMLResponse:
    """The card about the control, for this person and this moment."""
    found = run_page(work, run_id)
    return page.part("control/_card.html", page=found, control=control_of(work, found))


@router.post("/abort")
def abort(work: SignedIn, run_id: int, form: SentForm) -> Response:
    """Stop at the next safe point and undo what was done."""
    run = abort_run(work, run_id=run_id, target_name=form.text("target"), reason=form.text("reason"))
    return go_to(f"/runs/{run.id}", "asked")


@router.post("/ask-control")
def ask(work: SignedIn, run_id: int, form: SentForm) -> Response:
    """Ask for the control."""
    ask_control(work, run_id=run_id, note=form.text("note"))
    return go_to(f"/runs/{run_id}#run-control")


@router.post("/hand-over")
def hand_over(work: SignedIn, run_id: int, form: SentForm) -> Response:
    """Hand the control over."""
    to = form.number("to", least=1)
    form.check()
    hand_over_control(work, run_id=run_id, to=to, note=form.text("note"))
    return go_to(f"/runs/{run_id}#run-control")


@router.post("/decline-control")
def decline(work: SignedIn, run_id: int, form: SentForm) -> Response:
    """Keep the control that somebody asked for."""
    person = form.number("person", least=1)
    form.check()
    decline_control(work, run_id=run_id, person_id=person, note=form.text("note"))
    return go_to(f"/runs/{run_id}#run-control")


@router.post("/take-control")
def take(work: SignedIn, run_id: int, form: SentForm) -> Response:
    """Take the control, with a reason."""
    take_control(work, run_id=run_id, reason=form.text("reason"))
    return go_to(f"/runs/{run_id}#run-control")


@router.post("/review-control")
def review(work: SignedIn, run_id: int, form: SentForm) -> Response:
    """Review a control that was taken."""
    handover = form.number("handover", least=1)
    form.check()
    review_control(work, run_id=run_id, handover_id=handover, note=form.text("note"))
    return go_to(f"/runs/{run_id}#run-control")


@router.post("/end-session")
def end(work: SignedIn, run_id: int, form: SentForm) -> Response:
    """Have the session in the way ended."""
    pid = form.number("pid", least=1)
    form.check()
    end_session(work, run_id=run_id, pid=pid, backend_start=form.text("backend_start"), reason=form.text("reason"))
    return go_to(f"/runs/{run_id}#run-control")
