"""Changing a plan: one step, the written part, the whole file, an accepted risk; each makes a new revision."""

from dataclasses import replace
from typing import Any

import yaml
from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from app.actions import reach
from app.actions.accept_finding import accept_finding
from app.actions.drafting import read_draft
from app.actions.edit_plan import edit_plan
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import HeadgateError, MovedMeanwhileError, NotFoundError
from app.plan.errors import PlanError
from app.plan.model import Brief
from app.plan.model import Plan as Content
from app.plan.writing import write_plan
from app.web.dependencies import Page, Pages, SignedIn, go_to, undo
from app.web.forms import SentForm
from app.web.routes.plans import report_of
from app.web.views import plan_document as documents
from app.web.views.imports import line_of
from app.web.views.plan_head import plan_head
from app.web.views.standing import standing
from app.web.views.step_form import edited_document, sent_values, step_values

router = APIRouter(prefix="/plans/{plan_id}", include_in_schema=False)


def _saved(before: str, after: str, path: str) -> Response:
    return go_to(path, "nothing-changed" if before == after else "revision-saved")


@router.get("/edit")
def edit(work: SignedIn, page: Page, plan_id: int) -> HTMLResponse:
    """The whole plan file."""
    reach.plan(work, plan_id, Permission.WRITE_PLAN)
    now = standing(work, plan_id)
    return _edit_form(work, page, plan_id, write_plan(now.content), now.revision.digest)


@router.post("/edit")
def save(work: SignedIn, page: Page, plan_id: int, form: SentForm) -> Response:
    """Save the plan file as a new revision."""
    text, based_on = form.long_text("text"), form.text("base_digest")
    try:
        content = _read(work, plan_id, text)
        revision = edit_plan(work, plan_id=plan_id, content=content, based_on=based_on, note=form.text("note"), source_text=text)
    except HeadgateError as problem:
        undo(work)
        return _edit_form(work, page, plan_id, text, based_on, problem=problem)
    return _saved(based_on, revision.digest, f"/plans/{plan_id}/steps")


@router.get("/brief")
def edit_brief(work: SignedIn, page: Page, plan_id: int, take: str = "") -> HTMLResponse:
    """The written part; ``take`` begins one of its sections with what the SQL says."""
    reach.plan(work, plan_id, Permission.WRITE_PLAN)
    now = standing(work, plan_id)
    brief = {name: getattr(now.content.brief, name) for name in Brief.__dataclass_fields__}
    filled = documents.plan_document(now.content, report_of(now)).filled
    proposals = {name: filled[name] for name in ("data_migration", "api_impact") if filled[name] and not brief[name]}
    if take in proposals:
        brief[take] = proposals.pop(take)
    return page.show(
        "plans/edit_brief.html",
        head=plan_head(work, now),
        tab="brief",
        brief=brief,
        proposals=proposals,
        errors={},
        base_digest=now.revision.digest,
    )


@router.post("/brief")
def save_brief(work: SignedIn, plan_id: int, form: SentForm) -> Response:
    """Save the written part as a new revision."""
    based_on = form.text("base_digest")
    brief = Brief(**{name: form.long_text(name).strip() for name in Brief.__dataclass_fields__})
    content = replace(standing(work, plan_id).content, brief=brief)
    revision = edit_plan(work, plan_id=plan_id, content=content, based_on=based_on, note="The written part")
    return _saved(based_on, revision.digest, f"/plans/{plan_id}")


@router.get("/steps/{step_id}")
def edit_step(work: SignedIn, page: Page, plan_id: int, step_id: str) -> HTMLResponse:
    """One step as a form."""
    reach.plan(work, plan_id, Permission.WRITE_PLAN)
    return _step_form(work, page, plan_id, step_id, values=None, base_digest=standing(work, plan_id).revision.digest)


@router.post("/steps/{step_id}")
def save_step(work: SignedIn, page: Page, plan_id: int, step_id: str, form: SentForm) -> Response:
    """Save one step as a new revision."""
    values, based_on = sent_values(form), form.text("base_digest")
    content = standing(work, plan_id).content
    try:
        form.check()
        document = edited_document(content, _step(content, step_id), values)
        revision = edit_plan(
            work, plan_id=plan_id, content=_read(work, plan_id, document), based_on=based_on, note=form.text("note")
        )
    except yaml.YAMLError as error:
        undo(work)
        problem = PlanError("The parameters are no YAML.", hint=str(error))
        return _step_form(work, page, plan_id, step_id, values=values, base_digest=based_on, problem=problem)
    except HeadgateError as problem:
        undo(work)
        return _step_form(work, page, plan_id, step_id, values=values, base_digest=based_on, problem=problem)
    return _saved(based_on, revision.digest, f"/plans/{plan_id}/steps#step-{step_id}")


@router.post("/accept")
def accept(work: SignedIn, plan_id: int, form: SentForm) -> Response:
    """Take a named risk knowingly."""
    accept_finding(
        work,
        plan_id=plan_id,
        based_on=form.text("base_digest"),
        rule=form.text("rule"),
        reason=form.text("reason"),
        step=form.text("step") or None,
    )
    return go_to(f"/plans/{plan_id}/analysis", "accepted")


def _read(work: Work, plan_id: int, text: str) -> Content:
    plan = reach.plan(work, plan_id, Permission.WRITE_PLAN)
    return read_draft(work.session, target_id=plan.target_id, plan_text=text).plan


def _step(content: Content, step_id: str) -> Any:
    try:
        return content.step(step_id)
    except KeyError:
        raise NotFoundError(f"The plan has no step {step_id}.", hint="Another revision may have had it.") from None


def _edit_form(
    work: Work, page: Pages, plan_id: int, text: str, base_digest: str, *, problem: HeadgateError | None = None
) -> HTMLResponse:
    now = standing(work, plan_id)
    return page.show(
        "plans/edit.html",
        status=problem.status if problem else 200,
        head=plan_head(work, now),
        tab="edit",
        text=text,
        errors={},
        base_digest=base_digest,
        problem=problem,
        source_line=line_of(text, problem) if problem and not isinstance(problem, MovedMeanwhileError) else None,
    )


def _step_form(
    work: Work,
    page: Pages,
    plan_id: int,
    step_id: str,
    *,
    values: dict[str, Any] | None,
    base_digest: str,
    problem: HeadgateError | None = None,
) -> HTMLResponse:
    now = standing(work, plan_id)
    step = _step(now.content, step_id)
    document = documents.plan_document(now.content, report_of(now))
    return page.show(
        "plans/edit_step.html",
        status=problem.status if problem else 200,
        head=plan_head(work, now),
        tab="steps",
        step=next(line for line in document.steps if line.id == step_id),
        values=values or step_values(now.content, step),
        errors=getattr(problem, "fields", {}),
        base_digest=base_digest,
        problem=problem,
        source_line=None,
    )
