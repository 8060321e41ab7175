"""The watch of a run: figures before and after, the checklist of its three windows, and its end."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from app.actions.close_monitoring import close_monitoring
from app.actions.set_monitoring_item import set_monitoring_item
from app.errors import InvalidInputError
from app.web.dependencies import Page, Pages, SignedIn, go_to, undo
from app.web.forms import SentForm
from app.web.views.monitoring import watch_page
from app.web.views.runs import run_page

router = APIRouter(include_in_schema=False)
#: while it is watched a page without JavaScript asks again: figures come every few minutes
REFRESH_SECONDS = 60


@router.get("/runs/{run_id}/monitoring")
def show(work: SignedIn, page: Page, run_id: int) -> HTMLResponse:
    """Before and after."""
    return _page(work, page, run_id)


@router.post("/runs/{run_id}/monitoring/close")
def close(work: SignedIn, page: Page, run_id: int, form: SentForm) -> Response:
    """End the watch."""
    try:
        close_monitoring(work, run_id=run_id, note=form.text("note"))
    except InvalidInputError as error:
        undo(work)
        return _page(work, page, run_id, refused="close", error=error.message)
    return go_to(f"/runs/{run_id}/monitoring", "watch-ended")


@router.post("/runs/{run_id}/monitoring/{item}")
def set_item(work: SignedIn, page: Page, run_id: int, item: str, form: SentForm) -> Response:
    """Say by hand how an item stands; it is named ``1h.no-migration-errors``."""
    window, _, item_id = item.partition(".")
    note = form.text("note")
    try:
        set_monitoring_item(work, run_id=run_id, item_id=item_id, window=window, state=form.text("state"), note=note)
    except InvalidInputError as error:
        undo(work)
        return _page(work, page, run_id, refused=item, error=error.message)
    return go_to(f"/runs/{run_id}/monitoring#item-{item}", "saved")


def _page(work: SignedIn, page: Pages, run_id: int, *, refused: str = "", error: str = "") -> HTMLResponse:
    found = run_page(work, run_id)
    seen = watch_page(work, found)
    return page.show(
        "monitoring/show.html",
        status=422 if refused else 200,
        page=found,
        seen=seen,
        refused=refused,
        error=error,
        refresh_seconds=REFRESH_SECONDS if seen.is_watched and not seen.may_monitor else None,
    )
