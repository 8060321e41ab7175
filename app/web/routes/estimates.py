"""How good the estimates on a database were."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from app.web.dependencies import Page, SignedIn
from app.web.views.estimates import estimates_page

router = APIRouter(include_in_schema=False)


@router.get("/targets/{target_id}/estimates")
def show(work: SignedIn, page: Page, target_id: int) -> HTMLResponse:
    """What was predicted, and what it took."""
    return page.show("estimates/show.html", page=estimates_page(work, target_id))
