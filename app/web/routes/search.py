"""Search or jump."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from app.web.dependencies import Page, SignedIn
from app.web.views.search import search

router = APIRouter(include_in_schema=False)
LONGEST = 200


@router.get("/search")
def show(work: SignedIn, page: Page, q: str = "") -> HTMLResponse:
    """What is called like that."""
    wanted = q.strip()[:LONGEST].replace("\x00", "")
    return page.show("search/show.html", q=wanted, groups=search(work, wanted))
