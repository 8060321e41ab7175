"""What needs me now."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from app.web.dependencies import Page, SignedIn
from app.web.views.home import home_page

router = APIRouter(include_in_schema=False)


@router.get("/")
def show(work: SignedIn, page: Page) -> HTMLResponse:
    """The home page."""
    return page.show("home/show.html", home=home_page(work))
