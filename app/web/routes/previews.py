"""What a plan makes of the schema: every definition before and after, and the tables around as a diagram."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from app.web.dependencies import Page, SignedIn
from app.web.routes.plans import TargetQuery
from app.web.views.plan_head import plan_head
from app.web.views.previews import preview_page
from app.web.views.standing import standing

router = APIRouter(include_in_schema=False)


@router.get("/plans/{plan_id}/preview")
def show(work: SignedIn, page: Page, plan_id: int, target: TargetQuery = None) -> HTMLResponse:
    """The schema before and after the newest revision."""
    now = standing(work, plan_id, target)
    head = plan_head(work, now)
    return page.show(
        "previews/show.html", head=head, tab="preview", seen=preview_page(now), refresh_seconds=2 if head.is_moving else None
    )
