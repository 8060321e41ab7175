"""What a run left behind, compared with what was planned."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from app.web.dependencies import Page, SignedIn
from app.web.views.runs import run_page
from app.web.views.verification import verification_page

router = APIRouter(include_in_schema=False)


@router.get("/runs/{run_id}/verification")
def show(work: SignedIn, page: Page, run_id: int) -> HTMLResponse:
    """The newest verification of a run."""
    found = run_page(work, run_id)
    return page.show("verification/show.html", page=found, seen=verification_page(work, run_id), refresh_seconds=None)
