"""Dumps a target and keeps the backup's row true while it runs."""

from app.actions.worker.desk import Desk, Report, target_dsn
from app.backup.artifact import Artifact
from app.backup.dump import DumpOrder, DumpProgress, dump
from app.errors import HeadgateError
from app.store.tables.backups import Backup
from app.store.words import BackupState


def back_up(desk: Desk, backup_id: int, report: Report) -> None:
    """Take one backup; its row tells size, hash and path, or the error."""
    with desk.sessions.begin() as session:
        row = session.get_one(Backup, backup_id)
        row.state, row.started_at = BackupState.RUNNING, desk.clock.now()
        dsn = target_dsn(session, desk.settings, row.target_id)
        stamp = desk.clock.now().strftime("%Y%m%dT%H%M%SZ")
        order = DumpOrder(
            dsn=dsn,
            path=desk.settings.backups / f"target-{row.target_id}-backup-{row.id}-{stamp}",
            format="custom" if row.format.value == "custom" else "directory",
            jobs=row.jobs,
            tables=tuple(row.tables or ()),
            bin_dir=desk.settings.client_bin_dir,
            application_name=f"headgate backup {row.id}",
        )
    try:
        artifact = _dump(desk, backup_id, order, report)
    except HeadgateError as error:
        with desk.sessions.begin() as session:
            row = session.get_one(Backup, backup_id)
            row.state, row.error, row.finished_at = BackupState.FAILED, error.as_json(), desk.clock.now()
        raise
    with desk.sessions.begin() as session:
        row = session.get_one(Backup, backup_id)
        row.state, row.error, row.path = BackupState.DONE, None, str(artifact.path)
        row.size_bytes, row.sha256, row.entries = artifact.size_bytes, artifact.sha256, artifact.entries
        row.manifest, row.verified_at, row.finished_at = artifact.as_json(), desk.clock.now(), desk.clock.now()


def _dump(desk: Desk, backup_id: int, order: DumpOrder, report: Report) -> Artifact:
    running = dump(order)
    while True:
        try:
            progress = next(running)
        except StopIteration as end:
            artifact: Artifact = end.value
            return artifact
        shown = progress_json(progress)
        report(shown)
        with desk.sessions.begin() as session:
            session.get_one(Backup, backup_id).progress = shown


def progress_json(progress: DumpProgress) -> dict[str, object]:
    """A dump's progress as it is kept and shown."""
    return {
        "text": f"At {progress.current}" if progress.current else "Reading the catalog",
        "bytes_written": progress.bytes_written,
        "source_bytes": progress.source_bytes,
        "tables_begun": progress.tables_begun,
        "tables_total": progress.tables_total,
        "current": progress.current,
    }
