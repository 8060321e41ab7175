"""Backups of a target, and restores beside it."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from app.actions import reach
from app.actions.permissions import Permission
from app.actions.restore_backup import restore_backup
from app.actions.take_backup import take_backup
from app.errors import InvalidInputError
from app.store import backups, targets
from app.store.words import BackupState
from app.web.dependencies import Page, Pages, SignedIn, go_to, undo
from app.web.forms import SentForm

router = APIRouter(include_in_schema=False)


@router.post("/targets/{target_id}/backups")
def take(work: SignedIn, target_id: int) -> Response:
    """Have a backup of the whole database taken."""
    backup = take_backup(work, target_id=target_id)
    return go_to(f"/backups/{backup.id}")


@router.get("/backups/{backup_id}")
def show(work: SignedIn, page: Page, backup_id: int) -> HTMLResponse:
    """One backup, live while it is taken."""
    return _page(work, page, backup_id)


def _page(
    work: SignedIn, page: Pages, backup_id: int, *, errors: dict[str, str] | None = None, new_database: str = ""
) -> HTMLResponse:
    backup = reach.backup(work, backup_id, Permission.VIEW)
    target = targets.get(work.session, backup.target_id)
    restores = backups.restores_of(work.session, backup_id)
    is_moving = backup.state in (BackupState.QUEUED, BackupState.RUNNING) or any(not backups.is_settled(row) for row in restores)
    return page.show(
        "backups/show.html",
        status=422 if errors else 200,
        backup=backup,
        target=target,
        restores=restores,
        is_moving=is_moving,
        may_restore=work.actor.may(target.project_id, Permission.RESTORE),
        errors=errors or {},
        values={"new_database": new_database},
        refresh_seconds=2 if is_moving else None,
    )


@router.post("/backups/{backup_id}/restore")
def restore(work: SignedIn, page: Page, backup_id: int, form: SentForm) -> Response:
    """Have it restored into a new database, whose name is typed twice."""
    name = form.text("new_database")
    try:
        restore_backup(work, backup_id=backup_id, new_database=name, confirmation=form.text("confirmation"))
    except InvalidInputError as error:
        undo(work)
        return _page(work, page, backup_id, errors=error.fields, new_database=name)
    return go_to(f"/backups/{backup_id}")
