"""Deletes backups that no rule keeps any more: first the row says so, in the audit too, then the files go."""

import logging

from sqlalchemy import select

from app.actions.load_retention import load_retention
from app.actions.work import Work, headgate
from app.actions.worker.desk import Desk
from app.backup.place import place_of
from app.backup.staging import sweep
from app.backup.storage import storage_of
from app.errors import HeadgateError
from app.store import backups
from app.store.tables.backups import Backup
from app.store.tables.targets import Target
from app.store.words import BackupState

logger = logging.getLogger("headgate.backups")


def expire_backups(desk: Desk) -> int:
    """Delete what may go, of every target, and what killed workers left half-done; how many backups went.

    One that could not be removed is tried again next time.
    """
    with desk.sessions() as session:
        numbers = list(session.scalars(select(Target.id).order_by(Target.id)))
    # what a killed worker left of a dump that nobody took again
    sweep(desk.settings.backups)
    for number in numbers:
        _mark(desk, number)
    return sum(_remove(desk, number) for number in _marked(desk))


def _mark(desk: Desk, target_id: int) -> None:
    with desk.sessions.begin() as session:
        # held, so that no run is started on this target while it is decided what its runs rest on
        target = session.get_one(Target, target_id, with_for_update=True)
        work = Work(session=session, actor=headgate(), clock=desk.clock, settings=desk.settings)
        for number, verdict in load_retention(session, target, now=desk.clock.now()).items():
            row = session.get_one(Backup, number)
            if not verdict.expires or row.state is not BackupState.DONE:
                continue
            row.state = BackupState.DELETING
            work.note(
                "delete_backup",
                "backup",
                row.id,
                project_id=target.project_id,
                target=target.name,
                why=verdict.why,
                sha256=row.sha256,
            )


def _marked(desk: Desk) -> list[int]:
    with desk.sessions() as session:
        return backups.ids_in(session, BackupState.DELETING)


def _remove(desk: Desk, backup_id: int) -> int:
    with desk.sessions() as session:
        location = session.get_one(Backup, backup_id).path or ""
    try:
        storage, name = storage_of(place_of(desk.settings), location)
        storage.remove(name)
    except (HeadgateError, OSError) as error:
        logger.warning("Backup %s could not be removed, and is tried again: %s", backup_id, error)
        return 0
    with desk.sessions.begin() as session:
        row = session.get_one(Backup, backup_id)
        row.state, row.deleted_at = BackupState.DELETED, desk.clock.now()
    return 1
