"""Databases and their health."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from app.web.dependencies import Page, SignedIn
from app.web.views import targets as view

router = APIRouter(prefix="/targets", include_in_schema=False)


@router.get("")
def index(work: SignedIn, page: Page) -> HTMLResponse:
    """Every database by project and environment."""
    return page.show("targets/index.html", projects=view.projects(work), may_add_project=work.actor.is_admin)


@router.get("/{target_id}")
def show(work: SignedIn, page: Page, target_id: int, table: str = "") -> HTMLResponse:
    """One database."""
    return page.show("targets/show.html", page=view.target_page(work, target_id, search=table), search=table)
