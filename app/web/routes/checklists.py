"""Ticks with their evidence, overrides, and the start."""

import secrets
from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from app.actions import wording
from app.actions.override_gate import override_gate
from app.actions.start_run import start_run
from app.actions.tick_item import tick_item
from app.actions.untick_item import untick_item
from app.errors import InvalidInputError
from app.web.dependencies import Page, Pages, SignedIn, go_to, undo
from app.web.forms import Form, SentForm
from app.web.routes.plans import TargetQuery, report_of
from app.web.views.checklists import checklist_page
from app.web.views.plan_document import plan_document
from app.web.views.plan_head import plan_head
from app.web.views.standing import standing
from app.web.views.step_limits import step_limits

router = APIRouter(prefix="/plans/{plan_id}", include_in_schema=False)


def _path(plan_id: int, form: Form) -> str:
    target_id = form.optional_number("target_id")
    return f"/plans/{plan_id}/checklist" + (f"?target={target_id}" if target_id else "")


@router.get("/checklist")
def show(work: SignedIn, page: Page, plan_id: int, target: TargetQuery = None) -> HTMLResponse:
    """The checklist of the target's environment."""
    now = standing(work, plan_id, target)
    return page.show("checklists/show.html", head=plan_head(work, now), tab="checklist", page=checklist_page(work, now))


@router.post("/tick")
def tick(work: SignedIn, plan_id: int, form: SentForm) -> Response:
    """Tick an item under one's own name."""
    item_id, target_id = form.text("item_id"), form.optional_number("target_id")
    tick_item(work, plan_id=plan_id, item_id=item_id, note=form.text("note"), target_id=target_id)
    return go_to(f"{_path(plan_id, form)}#item-{item_id}", "ticked")


@router.post("/untick")
def untick(work: SignedIn, plan_id: int, form: SentForm) -> Response:
    """Take a tick back."""
    item_id, target_id = form.text("item_id"), form.optional_number("target_id")
    untick_item(work, plan_id=plan_id, item_id=item_id, reason=form.text("reason"), target_id=target_id)
    return go_to(f"{_path(plan_id, form)}#item-{item_id}", "withdrawn")


@router.post("/override")
def override(work: SignedIn, plan_id: int, form: SentForm) -> Response:
    """Open a gate by name, with a reason."""
    override_gate(
        work,
        plan_id=plan_id,
        gate=form.text("gate"),
        reason=form.text("reason"),
        digest=form.text("digest"),
        target_id=form.optional_number("target_id"),
    )
    return go_to(_path(plan_id, form), "overridden")


@router.get("/start")
def confirm(work: SignedIn, page: Page, plan_id: int, target: TargetQuery = None) -> HTMLResponse:
    """What will happen, and the button."""
    return _start_page(work, page, plan_id, target)


def _start_page(
    work: SignedIn, page: Pages, plan_id: int, target: int | None, errors: dict[str, str] | None = None
) -> HTMLResponse:
    now = standing(work, plan_id, target)
    return page.show(
        "checklists/start.html",
        status=422 if errors else 200,
        head=plan_head(work, now),
        tab="start",
        page=checklist_page(work, now),
        policy=now.policy,
        titles={step.id: step.title for step in now.content.steps()},
        limits=step_limits(now.content, now.policy),
        rollback_sentence=plan_document(now.content, report_of(now)).rollback_sentence,
        token=secrets.token_urlsafe(18),
        errors=errors or {},
    )


@router.post("/start")
def start(work: SignedIn, page: Page, plan_id: int, form: SentForm) -> Response:
    """Start the run; the same form sent twice starts one."""
    target_id, digest = form.optional_number("target_id"), form.text("digest")
    now = standing(work, plan_id, target_id)
    try:
        if now.environment is not None and now.environment.is_production and now.target is not None:
            wording.typed(form.text("confirm"), now.target.name, "confirm", "the database")
        max_rate = form.optional_number("max_rate")
        when = moment_of(form.text("scheduled_for"))
        form.check()
        run = start_run(
            work,
            plan_id=plan_id,
            digest=digest,
            request_token=form.text("request_token"),
            target_id=target_id,
            scheduled_for=when,
            options={"profile": form.text("profile"), "max_rate": max_rate},
        )
    except InvalidInputError as error:
        undo(work)
        return _start_page(work, page, plan_id, target_id, error.fields)
    return go_to(f"/runs/{run.id}", "started")


def moment_of(text: str) -> datetime | None:
    """A moment as the browser's field writes it, taken as UTC."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise wording.refused("scheduled_for", "This is not a date and a time.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
