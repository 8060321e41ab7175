"""Backups of a target: taken, cancelled, verified, proven, restored beside."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from app.actions import reach
from app.actions.cancel_backup import cancel_backup
from app.actions.permissions import Permission
from app.actions.prove_backup import prove_backup
from app.actions.restore_backup import restore_backup
from app.actions.take_backup import MOST_JOBS, take_backup
from app.actions.verify_backup import verify_backup
from app.errors import InvalidInputError
from app.store.words import BackupFormat
from app.web.dependencies import Page, Pages, SignedIn, go_to, undo
from app.web.forms import SentForm
from app.web.views.backups import backup_page

router = APIRouter(include_in_schema=False)
UNPROCESSABLE = 422
FORMATS = [
    (BackupFormat.DIRECTORY.value, "directory: several tables at once"),
    (BackupFormat.CUSTOM.value, "custom: one file, one table after the other"),
]


@router.get("/targets/{target_id}/backups/new")
def new(work: SignedIn, page: Page, target_id: int) -> HTMLResponse:
    """The form of a backup that is not the usual one: some tables, another format, more jobs."""
    return _form(work, page, target_id, {"format": BackupFormat.DIRECTORY.value, "jobs": "2", "tables": ""}, {})


def _form(work: SignedIn, page: Pages, target_id: int, values: dict[str, str], errors: dict[str, str]) -> HTMLResponse:
    target = reach.target(work, target_id, Permission.BACK_UP)
    status = UNPROCESSABLE if errors else 200
    return page.show(
        "backups/new.html", status=status, target=target, values=values, errors=errors, formats=FORMATS, most=MOST_JOBS
    )


@router.post("/targets/{target_id}/backups")
def take(work: SignedIn, page: Page, target_id: int, form: SentForm) -> Response:
    """Have a backup taken: of the whole database, where the form says nothing else."""
    values = {"format": form.text("format") or BackupFormat.DIRECTORY.value, "jobs": form.text("jobs") or "2"}
    values["tables"] = form.long_text("tables")
    try:
        backup = take_backup(
            work, target_id=target_id, tables=values["tables"].split("\n"), format=values["format"], jobs=values["jobs"]
        )
    except InvalidInputError as error:
        undo(work)
        return _form(work, page, target_id, values, error.fields)
    return go_to(f"/backups/{backup.id}")


@router.get("/backups/{backup_id}")
def show(work: SignedIn, page: Page, backup_id: int) -> HTMLResponse:
    """One backup, live while something is done with it."""
    return _page(work, page, backup_id)


def _page(
    work: SignedIn, page: Pages, backup_id: int, *, errors: dict[str, str] | None = None, new_database: str = ""
) -> HTMLResponse:
    found = backup_page(work, backup_id)
    return page.show(
        "backups/show.html",
        status=UNPROCESSABLE if errors else 200,
        page=found,
        errors=errors or {},
        values={"new_database": new_database},
        refresh_seconds=2 if found.is_moving else None,
    )


@router.post("/backups/{backup_id}/cancel")
def cancel(work: SignedIn, backup_id: int) -> Response:
    """Have it stopped."""
    cancel_backup(work, backup_id=backup_id)
    return go_to(f"/backups/{backup_id}")


@router.post("/backups/{backup_id}/verify")
def verify(work: SignedIn, backup_id: int) -> Response:
    """Have it compared with its manifest."""
    verify_backup(work, backup_id=backup_id)
    return go_to(f"/backups/{backup_id}#evidence")


@router.post("/backups/{backup_id}/prove")
def prove(work: SignedIn, backup_id: int) -> Response:
    """Have it proven by a test restore."""
    prove_backup(work, backup_id=backup_id)
    return go_to(f"/backups/{backup_id}#evidence")


@router.post("/backups/{backup_id}/restore")
def restore(work: SignedIn, page: Page, backup_id: int, form: SentForm) -> Response:
    """Have it restored into a new database, whose name is typed twice."""
    name = form.text("new_database")
    try:
        made = restore_backup(work, backup_id=backup_id, new_database=name, confirmation=form.text("confirmation"))
    except InvalidInputError as error:
        undo(work)
        return _page(work, page, backup_id, errors=error.fields, new_database=name)
    return go_to(f"/restores/{made.id}")
