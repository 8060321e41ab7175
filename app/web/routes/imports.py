"""Upload or paste, look at the draft, save it."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from app.actions.drafting import Draft, read_draft
from app.actions.import_plan import import_plan
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import HeadgateError
from app.web.dependencies import Page, Pages, SignedIn, go_to, undo
from app.web.forms import Form, SentForm
from app.web.views import imports as view
from app.web.views import targets

router = APIRouter(include_in_schema=False)
UNPROCESSABLE = 422
_PLAN_STARTS = ("headgate:", "name:", "phases:", "---")


@router.get("/plans/import")
def new(work: SignedIn, page: Page, target: int | None = None) -> HTMLResponse:
    """The empty form."""
    values = {
        "name": "",
        "project_id": "",
        "target_id": target or "",
        "text": "",
        "down": "",
        "backfills": True,
        "accept_irreversible": False,
    }
    return _form(work, page, values)


@router.post("/plans/import")
def read(work: SignedIn, page: Page, form: SentForm) -> HTMLResponse:
    """Read what was handed in and show the draft; nothing is kept."""
    text = form.long_text("text")
    values = {
        "name": form.text("name"),
        "project_id": form.text("project_id"),
        "target_id": form.text("target_id"),
        "text": text,
        "down": form.long_text("down"),
        "backfills": form.flag("backfills"),
        "accept_irreversible": form.flag("accept_irreversible"),
    }
    try:
        draft = draft_of(work, form)
    except HeadgateError as problem:
        undo(work)
        line = None if problem.file and problem.file in form.names() else view.line_of(text, problem)
        return _form(work, page, values, problem=problem, errors=getattr(problem, "fields", {}), source_line=line)
    return _preview(work, page, draft, {**values, "source_text": draft.source_text or ""})


@router.post("/plans")
def create(work: SignedIn, page: Page, form: SentForm) -> Response:
    """Save the draft, as it stands in the form, as a plan."""
    text = form.long_text("text", required=True)
    try:
        form.check()
        target_id = form.optional_number("target_id")
        draft = read_draft(work.session, target_id=target_id, plan_text=text)
        source = form.long_text("source_text") or draft.source_text
        project_id = form.number("project_id")
        form.check()
        kept = Draft(plan=draft.plan, imported=draft.imported, source_text=source)
        plan = import_plan(work, project_id=project_id, target_id=target_id, draft=kept)
    except HeadgateError as problem:
        undo(work)
        values = {"name": "", "project_id": form.text("project_id"), "target_id": form.text("target_id"), "text": text}
        return _form(
            work,
            page,
            {**values, "down": "", "backfills": False, "accept_irreversible": False},
            problem=problem,
            errors=getattr(problem, "fields", {}),
            source_line=view.line_of(text, problem),
        )
    return go_to(f"/plans/{plan.id}", "plan-imported")


def draft_of(work: Work, form: Form) -> Draft:
    """What the form holds, read as a plan: files, SQL, or a plan file."""
    text = form.long_text("text")
    is_plan = text.lstrip().startswith(_PLAN_STARTS)
    return read_draft(
        work.session,
        target_id=form.optional_number("target_id"),
        name=form.text("name"),
        files=form.contents() or None,
        sql="" if is_plan else text,
        down_sql=form.long_text("down"),
        plan_text=text if is_plan else "",
        backfills=form.flag("backfills"),
        accept_irreversible=form.flag("accept_irreversible"),
    )


def _choices(work: Work) -> dict[str, Any]:
    return {"projects": view.project_choices(work), "targets": targets.choices(work, Permission.WRITE_PLAN)}


def _form(
    work: Work,
    page: Pages,
    values: dict[str, Any],
    *,
    problem: HeadgateError | None = None,
    errors: dict[str, str] | None = None,
    source_line: str | None = None,
) -> HTMLResponse:
    return page.show(
        "imports/new.html",
        status=problem.status if problem else 200,
        values=values,
        problem=problem,
        errors=errors or {},
        source_line=source_line,
        **_choices(work),
    )


def _preview(work: Work, page: Pages, draft: Draft, values: dict[str, Any]) -> HTMLResponse:
    preview = view.preview_of(draft)
    return page.show(
        "imports/preview.html",
        preview=preview,
        values={**values, "text": preview.text},
        errors={},
        problem=None,
        source_line=None,
        **_choices(work),
    )
