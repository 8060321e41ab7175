"""Runs: the list, one run live, and the buttons that move it. Every form works without JavaScript."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from app.actions.cancel_run import cancel_run
from app.actions.change_speed import change_speed
from app.actions.open_gate import open_gate
from app.actions.pause_run import pause_run
from app.actions.resume_run import resume_run
from app.actions.retry_step import retry_step
from app.actions.roll_back_run import roll_back_run
from app.actions.skip_step import skip_step
from app.actions.undoing import SCOPES, Scope
from app.web.dependencies import Page, SignedIn, go_to
from app.web.forms import SentForm
from app.web.views import run_list
from app.web.views import runs as view
from app.web.views.control import control_of
from app.web.views.paging import PER_PAGE, query_of
from app.web.views.run_buttons import bar_of
from app.web.views.run_lines import run_lines
from app.web.views.run_log import GROUPS, as_text, log_page, newest_lines

router = APIRouter(prefix="/runs", include_in_schema=False)
Group = Literal["", "decision", "person", "state", "work"]


@router.get("")
def index(
    work: SignedIn,
    page: Page,
    *,
    state: str = "",
    target: str = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> HTMLResponse:
    """Runs now and before, the newest first; of one state or on one target where that is asked for."""
    where = run_list.wanted_runs(work.actor, state=state, target=target)
    lines = run_lines(work.session, *where, limit=PER_PAGE + 1, offset=(number - 1) * PER_PAGE)
    return page.show(
        "runs/index.html",
        runs=lines[:PER_PAGE],
        number=number,
        has_more=len(lines) > PER_PAGE,
        state=state,
        target=target,
        states=run_list.STATES,
        targets=run_list.targets_that_ran(work),
        base=query_of("/runs", {"state": state, "target": target}),
    )


@router.get("/{run_id}")
def show(work: SignedIn, page: Page, run_id: int) -> HTMLResponse:
    """One run, live."""
    found = view.run_page(work, run_id)
    lines = newest_lines(work.session, run_id)
    return page.show(
        "runs/show.html",
        page=found,
        bar=bar_of(work.actor, found),
        control=control_of(work, found),
        lines=lines,
        # the stream goes on after the newest line that is on the page
        number=max(found.number, lines[0].number if lines else 0),
        groups=GROUPS,
        refresh_seconds=found.refresh_seconds,
    )


@router.get("/{run_id}/actions")
def actions(work: SignedIn, page: Page, run_id: int) -> HTMLResponse:
    """The action bar, for this person and this moment."""
    found = view.run_page(work, run_id)
    return page.part("runs/_actions.html", page=found, bar=bar_of(work.actor, found))


@router.get("/{run_id}/gate")
def gate_card(work: SignedIn, page: Page, run_id: int) -> HTMLResponse:
    """The gate that the run stands at, with this person's form; empty anywhere else."""
    found = view.run_page(work, run_id)
    return page.part("runs/_gate.html", page=found, bar=bar_of(work.actor, found))


@router.get("/{run_id}/events")
def events(
    work: SignedIn, page: Page, run_id: int, number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1, group: Group = ""
) -> HTMLResponse:
    """The whole log, paged."""
    found = view.run_page(work, run_id)
    lines, has_more = log_page(work.session, run_id, number, group)
    return page.show("runs/events.html", page=found, lines=lines, number=number, has_more=has_more, group=group, groups=GROUPS)


@router.get("/{run_id}/events.txt")
def events_as_text(work: SignedIn, run_id: int) -> PlainTextResponse:
    """The whole log as text, for a ticket or a post-mortem."""
    view.run_page(work, run_id)
    name = f'inline; filename="headgate-run-{run_id}.txt"'
    return PlainTextResponse("".join(as_text(work.session, run_id)), headers={"content-disposition": name})


@router.post("/{run_id}/pause")
def pause(work: SignedIn, run_id: int) -> Response:
    """Stop at the next safe point."""
    pause_run(work, run_id=run_id)
    return go_to(f"/runs/{run_id}", "asked")


@router.post("/{run_id}/resume")
def resume(work: SignedIn, run_id: int) -> Response:
    """Go on."""
    resume_run(work, run_id=run_id)
    return go_to(f"/runs/{run_id}")


@router.post("/{run_id}/cancel")
def cancel(work: SignedIn, run_id: int, form: SentForm) -> Response:
    """Stop for good."""
    cancel_run(work, run_id=run_id, reason=form.text("reason"))
    return go_to(f"/runs/{run_id}", "asked")


@router.post("/{run_id}/retry")
def retry(work: SignedIn, run_id: int, form: SentForm) -> Response:
    """Try the failed step again."""
    retry_step(work, run_id=run_id, step_id=form.text("step") or None)
    return go_to(f"/runs/{run_id}")


@router.post("/{run_id}/skip")
def skip(work: SignedIn, run_id: int, form: SentForm) -> Response:
    """Go on without the failed step."""
    skip_step(work, run_id=run_id, step_id=form.text("step"), reason=form.text("reason"))
    return go_to(f"/runs/{run_id}")


@router.post("/{run_id}/open-gate")
def gate(work: SignedIn, run_id: int, form: SentForm) -> Response:
    """Confirm what the gate asks."""
    open_gate(work, run_id=run_id, step_id=form.text("step"), note=form.text("note"))
    return go_to(f"/runs/{run_id}")


@router.post("/{run_id}/speed")
def speed(work: SignedIn, run_id: int, form: SentForm) -> Response:
    """Backfills faster or slower, from the next slice on."""
    change_speed(work, run_id=run_id, profile=form.text("profile"))
    return go_to(f"/runs/{run_id}")


@router.post("/{run_id}/roll-back")
def roll_back(work: SignedIn, run_id: int, form: SentForm) -> Response:
    """Undo what was done, as a run of its own."""
    asked, _, of = form.text("scope").partition(":")
    scope: Scope = next((word for word in SCOPES if word == asked), "all")
    back = roll_back_run(work, run_id=run_id, target_name=form.text("target"), scope=scope, of=of)
    return go_to(f"/runs/{back.id}")
