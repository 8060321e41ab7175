"""Dumps a target and keeps the backup's row true while it runs."""

from app.actions.worker.desk import Desk, Report, target_dsn
from app.actions.worker.following import CancelledError, begin
from app.backup.dump import DumpOrder, dump
from app.backup.keep import Artifact
from app.backup.place import place_of
from app.store.backups import stored_ratio
from app.store.tables.backups import Backup
from app.store.words import BackupFormat, BackupState


def back_up(desk: Desk, backup_id: int, report: Report) -> None:
    """Take one backup; its row tells size, hash and place, or the error."""
    attempt = begin(desk, Backup, backup_id)
    if attempt is None:
        return
    with attempt.ended_true():
        artifact = attempt.follow(dump(_order(desk, backup_id)), report)
        _keep(desk, backup_id, attempt.number, artifact)


def _order(desk: Desk, backup_id: int) -> DumpOrder:
    with desk.sessions() as session:
        row = session.get_one(Backup, backup_id)
        if row.state is BackupState.CANCELLING:
            raise CancelledError
        return DumpOrder(
            dsn=target_dsn(session, desk.settings, row.target_id),
            place=place_of(desk.settings),
            name=f"target-{row.target_id}-backup-{row.id}",
            format="custom" if row.format is BackupFormat.CUSTOM else "directory",
            jobs=row.jobs,
            tables=tuple(row.tables or ()),
            application_name=f"headgate backup {row.id}",
            ratio=None if row.tables else stored_ratio(session, row.target_id),
        )


def _keep(desk: Desk, backup_id: int, attempt: int, artifact: Artifact) -> None:
    manifest = artifact.manifest
    with desk.sessions.begin() as session:
        row = session.get_one(Backup, backup_id, with_for_update=True)
        if row.attempt != attempt:
            # another attempt writes to the same place: its files are the ones that count
            return
        row.state, row.error, row.path = BackupState.DONE, None, artifact.location
        row.size_bytes, row.sha256, row.entries = manifest.bytes, manifest.sha256, manifest.entries
        row.manifest, row.verified_at, row.finished_at = manifest.as_json(), desk.clock.now(), desk.clock.now()
        row.progress = None
