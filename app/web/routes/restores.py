"""A restored database beside the target's: watched while it is made, then swapped in and back."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from app.actions.cancel_restore import cancel_restore
from app.actions.name_sessions import name_sessions
from app.actions.swap_database import swap_database
from app.errors import InvalidInputError
from app.web.dependencies import Page, Pages, SignedIn, go_to, undo
from app.web.forms import SentForm
from app.web.views.restores import restore_page

router = APIRouter(prefix="/restores", include_in_schema=False)


@router.get("/{restore_id}")
def show(work: SignedIn, page: Page, restore_id: int) -> HTMLResponse:
    """One restore."""
    return _page(work, page, restore_id, {})


def _page(work: SignedIn, page: Pages, restore_id: int, errors: dict[str, str]) -> HTMLResponse:
    found = restore_page(work, restore_id)
    return page.show(
        "restores/show.html",
        status=422 if errors else 200,
        page=found,
        errors=errors,
        refresh_seconds=2 if found.is_moving else None,
    )


@router.post("/{restore_id}/cancel")
def cancel(work: SignedIn, restore_id: int) -> Response:
    """Have it stopped."""
    restore = cancel_restore(work, restore_id=restore_id)
    return go_to(f"/backups/{restore.backup_id}")


@router.post("/{restore_id}/sessions")
def sessions(work: SignedIn, restore_id: int) -> Response:
    """Have a worker look who is connected."""
    name_sessions(work, restore_id=restore_id)
    return go_to(f"/restores/{restore_id}#swap")


@router.post("/{restore_id}/swap")
def swap(work: SignedIn, page: Page, restore_id: int, form: SentForm) -> Response:
    """Have it put in the place of the target's database, or the old one put back."""
    try:
        swap_database(work, restore_id=restore_id, confirmation=form.text("confirmation"), end_sessions=form.flag("end_sessions"))
    except InvalidInputError as error:
        undo(work)
        return _page(work, page, restore_id, error.fields)
    return go_to(f"/restores/{restore_id}#swap")
