"""Restores a backup into a new database beside the old one, and keeps what was counted there."""

from pathlib import Path

from app.actions.worker.desk import Desk, Report, target_dsn
from app.backup.restore import Restored, RestoreOrder
from app.backup.restore import restore as restore_backup
from app.errors import HeadgateError
from app.store.tables.backups import Backup, Restore
from app.store.words import JobState


def restore(desk: Desk, restore_id: int, report: Report) -> None:
    """Do one restore; its row tells rows and seconds, or the error."""
    with desk.sessions.begin() as session:
        row = session.get_one(Restore, restore_id)
        row.state, row.started_at = JobState.RUNNING, desk.clock.now()
        backup = session.get_one(Backup, row.backup_id)
        order = RestoreOrder(
            dsn=target_dsn(session, desk.settings, backup.target_id),
            path=Path(backup.path or ""),
            sha256=backup.sha256 or "",
            new_database=row.new_database,
            jobs=backup.jobs,
            bin_dir=desk.settings.client_bin_dir,
        )
    try:
        restored = _run(order, report)
    except HeadgateError as error:
        with desk.sessions.begin() as session:
            row = session.get_one(Restore, restore_id)
            row.state, row.error, row.finished_at = JobState.FAILED, error.as_json(), desk.clock.now()
        raise
    with desk.sessions.begin() as session:
        row = session.get_one(Restore, restore_id)
        row.state, row.error, row.result, row.finished_at = JobState.DONE, None, restored.as_json(), desk.clock.now()


def _run(order: RestoreOrder, report: Report) -> Restored:
    running = restore_backup(order)
    while True:
        try:
            report({"text": next(running)})
        except StopIteration as end:
            restored: Restored = end.value
            return restored
