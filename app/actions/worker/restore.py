"""Restores a backup into a new database: to be used beside the old one, or as a proof that is dropped again at once."""

from app.actions.worker.desk import Desk, Report, target_dsn
from app.actions.worker.following import CancelledError, begin
from app.backup.beside import drop_database
from app.backup.place import place_of
from app.backup.restore import Restored, RestoreOrder
from app.backup.restore import restore as restore_backup
from app.store.tables.backups import Backup, Restore
from app.store.words import RestorePurpose, RestoreState
from app.target.dsn import parse_dsn


def restore(desk: Desk, restore_id: int, report: Report) -> None:
    """Do one restore; its row tells rows and seconds, or the error."""
    attempt = begin(desk, Restore, restore_id)
    if attempt is None:
        return
    with attempt.ended_true():
        order = _order(desk, restore_id)
        restored = attempt.follow(restore_backup(order), report)
        if order.is_proof:
            drop_database(order.dsn, order.new_database, mark=order.mark)
        _keep(desk, restore_id, attempt.number, order, restored)


def _order(desk: Desk, restore_id: int) -> RestoreOrder:
    with desk.sessions() as session:
        row = session.get_one(Restore, restore_id)
        if row.state is RestoreState.CANCELLING:
            raise CancelledError
        backup = session.get_one(Backup, row.backup_id)
        dsn = target_dsn(session, desk.settings, backup.target_id)
        is_proof = row.purpose is RestorePurpose.PROOF
        elsewhere = desk.settings.proof_url if is_proof else None
        return RestoreOrder(
            dsn=elsewhere.get_secret_value() if elsewhere else dsn,
            place=place_of(desk.settings),
            location=backup.path or "",
            sha256=backup.sha256 or "",
            new_database=row.new_database,
            mark=f"Made by Headgate: {row.purpose.value} restore {row.id} of backup {backup.id}",
            jobs=backup.jobs,
            application_name=f"headgate restore {row.id}",
            like=None if is_proof else parse_dsn(dsn).database,
            is_proof=is_proof,
        )


def _keep(desk: Desk, restore_id: int, attempt: int, order: RestoreOrder, restored: Restored) -> None:
    now = desk.clock.now()
    with desk.sessions.begin() as session:
        row = session.get_one(Restore, restore_id, with_for_update=True)
        if row.attempt != attempt:
            return
        row.state, row.error, row.finished_at, row.progress = RestoreState.DONE, None, now, None
        row.result = {**restored.as_json(), "where": parse_dsn(order.dsn).summary}
        if order.is_proof:
            backup = session.get_one(Backup, row.backup_id)
            backup.manifest = backup.manifest or restored.manifest.as_json()
            if restored.is_equal:
                backup.proven_at = now
