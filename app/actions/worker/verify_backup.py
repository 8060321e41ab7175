"""Compares a stored backup with its manifest; one that is damaged does not count as a backup any more."""

from typing import Any

from app.actions.worker.desk import Desk, Report
from app.backup.check import Checked, check
from app.backup.manifest import BackupDamagedError
from app.backup.place import place_of
from app.errors import HeadgateError
from app.store.tables.backups import Backup
from app.store.words import BackupState


def verify_backup(desk: Desk, backup_id: int, report: Report) -> None:
    """Check one backup and keep what came of it."""
    with desk.sessions() as session:
        row = session.get_one(Backup, backup_id)
        if row.state is not BackupState.DONE:
            return
        location, sha256 = row.path or "", row.sha256 or ""
    started = desk.clock.monotonic()
    running = check(place_of(desk.settings), location, sha256)
    try:
        while True:
            report(next(running).as_json())
    except StopIteration as end:
        found: Checked = end.value
        _keep(desk, backup_id, desk.clock.monotonic() - started, found.as_json(), checked=found)
    except HeadgateError as error:
        is_damaged = isinstance(error, BackupDamagedError)
        _keep(desk, backup_id, desk.clock.monotonic() - started, {"error": error.as_json()}, is_damaged=is_damaged)
        raise
    finally:
        running.close()


def _keep(
    desk: Desk,
    backup_id: int,
    seconds: float,
    result: dict[str, Any],
    *,
    checked: Checked | None = None,
    is_damaged: bool = False,
) -> None:
    now = desk.clock.now()
    with desk.sessions.begin() as session:
        row = session.get_one(Backup, backup_id, with_for_update=True)
        row.checked = {
            "at": now.isoformat(),
            "ok": checked is not None,
            "is_damaged": is_damaged,
            "seconds": round(seconds, 2),
            "error": None,
            **result,
        }
        if checked is not None:
            row.verified_at, row.manifest = now, row.manifest or checked.manifest.as_json()
        if is_damaged:
            # what is damaged proves nothing, whatever was true before
            row.verified_at = row.proven_at = None
