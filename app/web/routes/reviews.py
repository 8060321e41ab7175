"""Read, comment, approve or ask for changes."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from app.actions.approve_plan import approve_plan
from app.actions.comment import comment
from app.actions.request_changes import request_changes
from app.actions.request_review import request_review
from app.actions.resolve_comment import resolve_comment
from app.errors import InvalidInputError
from app.web.dependencies import Page, Pages, SignedIn, go_to, undo
from app.web.forms import Form, SentForm
from app.web.routes.plans import TargetQuery, report_of
from app.web.views.plan_document import plan_document
from app.web.views.plan_head import plan_head
from app.web.views.reviews import review_page
from app.web.views.standing import standing

router = APIRouter(include_in_schema=False)


@router.get("/plans/{plan_id}/review")
def show(
    work: SignedIn, page: Page, *, plan_id: int, step: str = "", line: int | None = None, target: TargetQuery = None
) -> HTMLResponse:
    """The review on one screen; ``step`` and ``line`` open a comment form there."""
    return _page(work, page, plan_id, target, step=step, line=line)


def _page(
    work: SignedIn,
    page: Pages,
    plan_id: int,
    target: int | None,
    *,
    step: str = "",
    line: int | None = None,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    now = standing(work, plan_id, target)
    report = report_of(now)
    document = plan_document(now.content, report)
    return page.show(
        "reviews/show.html",
        status=422 if errors else 200,
        head=plan_head(work, now),
        tab="review",
        document=document,
        review=review_page(work, now, document, report),
        at_step=step,
        at_line=line,
        errors=errors or {},
    )


@router.post("/plans/{plan_id}/request-review")
def ask(work: SignedIn, plan_id: int) -> Response:
    """Put the plan into review."""
    request_review(work, plan_id=plan_id)
    return go_to(f"/plans/{plan_id}", "review-requested")


@router.post("/plans/{plan_id}/approve")
def approve(work: SignedIn, plan_id: int, form: SentForm) -> Response:
    """Approve exactly the revision that the page showed."""
    target_id = form.optional_number("target_id")
    approve_plan(work, plan_id=plan_id, digest=form.text("digest"), note=form.text("note", longest=20_000), target_id=target_id)
    return go_to(_review_path(plan_id, form), "approved")


@router.post("/plans/{plan_id}/request-changes")
def refuse(work: SignedIn, page: Page, plan_id: int, form: SentForm) -> Response:
    """Ask for changes, with the reason."""
    target_id = form.optional_number("target_id")
    reason = form.text("note", longest=20_000)
    try:
        request_changes(work, plan_id=plan_id, digest=form.text("digest"), reason=reason, target_id=target_id)
    except InvalidInputError as error:
        undo(work)
        return _page(work, page, plan_id, target_id, errors={"note": error.message})
    return go_to(_review_path(plan_id, form), "changes-requested")


def _review_path(plan_id: int, form: Form) -> str:
    target_id = form.optional_number("target_id")
    return f"/plans/{plan_id}/review" + (f"?target={target_id}" if target_id else "")


@router.post("/plans/{plan_id}/comments")
def say(work: SignedIn, plan_id: int, form: SentForm) -> Response:
    """Add a comment to the plan, a step, a line, or a thread."""
    added = comment(
        work,
        plan_id=plan_id,
        body=form.text("body", longest=20_000),
        step_id=form.text("step_id") or None,
        line=form.optional_number("line"),
        parent_id=form.optional_number("parent_id"),
    )
    return go_to(f"/plans/{plan_id}/review#comment-{added.id}", "commented")


@router.post("/comments/{comment_id}/resolve")
def resolve(work: SignedIn, comment_id: int, form: SentForm) -> Response:
    """Resolve a thread, or open it again."""
    first = resolve_comment(work, comment_id=comment_id, resolved=form.flag("resolved"))
    return go_to(f"/plans/{first.plan_id}/review#thread-{first.id}", "resolved" if first.resolved_at else "saved")
