"""Backups and restores."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, defer, load_only

from app.errors import NotFoundError
from app.run.events import BackupFinished
from app.store.once import insert_or_find
from app.store.tables.backups import Backup, Restore
from app.store.tables.runs import Run
from app.store.words import BackupFormat, BackupState, RestorePurpose, RestoreState

OPEN = (BackupState.QUEUED, BackupState.RUNNING, BackupState.CANCELLING)
OPEN_RESTORES = (RestoreState.QUEUED, RestoreState.RUNNING, RestoreState.CANCELLING)
#: a worker has something to do
MOVING_RESTORES = (*OPEN_RESTORES, RestoreState.SWAPPING, RestoreState.SWAPPING_BACK)


def get(session: Session, backup_id: int) -> Backup:
    """The backup of that id.

    Raises NotFoundError.
    """
    backup = session.get(Backup, backup_id)
    if backup is None:
        raise NotFoundError("There is no such backup.")
    return backup


def request(
    session: Session,
    target_id: int,
    *,
    requested_by: int | None,
    format: BackupFormat,  # noqa: A002  the column's own name
    jobs: int,
    tables: list[str] | None,
    now: datetime,
) -> tuple[Backup, bool]:
    """The backup that was asked for, and True where it is a new one: one at a time is open per target."""
    before = session.scalar(select(func.max(Backup.id)).where(Backup.target_id == target_id)) or 0
    row = insert_or_find(
        session,
        insert(Backup).values(
            target_id=target_id, requested_by=requested_by, format=format, jobs=jobs, tables=tables, created_at=now
        ),
        select(Backup).where(Backup.target_id == target_id, Backup.run_id.is_(None), Backup.state.in_(OPEN)),
    )
    return row, row.id > before


def newest_whole(session: Session, target_id: int) -> Backup | None:
    """The newest finished backup of the whole database; a verified one is preferred to a younger one that is not."""
    return session.scalar(
        select(Backup)
        .where(Backup.target_id == target_id, Backup.state == BackupState.DONE, Backup.tables.is_(None))
        .order_by(Backup.verified_at.is_(None), Backup.finished_at.desc())
        .limit(1)
        # a manifest names every file of the dump
        .options(load_only(Backup.id, Backup.finished_at, Backup.verified_at, Backup.proven_at))
    )


def keep_of_run(session: Session, run: Run, spec: Mapping[str, Any], finished: BackupFinished, *, now: datetime) -> Backup:
    """The backup that a run's own step took, as a row like any other: it counts as evidence and can be restored."""
    tables = spec.get("tables")
    backup = Backup(
        target_id=run.target_id,
        run_id=run.id,
        requested_by=run.created_by,
        state=BackupState.DONE,
        format=BackupFormat(spec.get("format", BackupFormat.DIRECTORY.value)),
        jobs=int(spec.get("jobs", 2)),
        tables=list(tables) if tables else None,
        path=finished.path,
        size_bytes=finished.size_bytes,
        sha256=finished.sha256,
        entries=finished.entries,
        verified_at=now,
        created_at=now,
        started_at=now - timedelta(seconds=finished.seconds),
        finished_at=now,
    )
    session.add(backup)
    session.flush()
    return backup


def of_target(session: Session, target_id: int, *, limit: int) -> list[Backup]:
    """The newest backups of a target, without their manifests: one names every file."""
    query = select(Backup).where(Backup.target_id == target_id).order_by(Backup.id.desc()).limit(limit)
    return list(session.scalars(query.options(defer(Backup.manifest))))


def stored_of(session: Session, target_id: int) -> list[Backup]:
    """Every backup of a target whose files should be there."""
    query = select(Backup).where(Backup.target_id == target_id, Backup.state == BackupState.DONE).order_by(Backup.id)
    return list(session.scalars(query.options(defer(Backup.manifest))))


def ids_in(session: Session, state: BackupState) -> list[int]:
    """Backups in a state, of every target."""
    return list(session.scalars(select(Backup.id).where(Backup.state == state).order_by(Backup.id)))


def ids_of_run(session: Session, run_id: int) -> list[int]:
    """Backups that steps of a run took."""
    return list(session.scalars(select(Backup.id).where(Backup.run_id == run_id)))


def restored_now(session: Session, target_id: int) -> list[tuple[int, str]]:
    """Backups of a target from which something is restored now, or was swapped in, with the new database's name."""
    in_use = (*MOVING_RESTORES, RestoreState.SWAPPED)
    query = select(Restore.backup_id, Restore.new_database).join(Backup, Backup.id == Restore.backup_id)
    return [(row[0], row[1]) for row in session.execute(query.where(Backup.target_id == target_id, Restore.state.in_(in_use)))]


def stored_ratio(session: Session, target_id: int) -> float | None:
    """Stored bytes per byte of the tables, as the newest backup of the whole database had it; None: nothing is known."""
    source = Backup.manifest["source_bytes"].as_integer()
    found = session.execute(
        select(Backup.size_bytes, source)
        .where(Backup.target_id == target_id, Backup.state == BackupState.DONE, Backup.tables.is_(None), source > 0)
        .order_by(Backup.id.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None or found[0] is None else found[0] / found[1]


def request_restore(
    session: Session,
    backup_id: int,
    *,
    new_database: str,
    requested_by: int,
    now: datetime,
    purpose: RestorePurpose = RestorePurpose.BESIDE,
) -> Restore:
    """The restore of a backup into a new database: the open one where it was asked for already."""
    return insert_or_find(
        session,
        insert(Restore).values(
            backup_id=backup_id, new_database=new_database, requested_by=requested_by, purpose=purpose, created_at=now
        ),
        select(Restore).where(
            Restore.backup_id == backup_id, Restore.new_database == new_database, Restore.state.in_(OPEN_RESTORES)
        ),
    )


def restores_of(session: Session, backup_id: int, purpose: RestorePurpose | None = None) -> list[Restore]:
    """What became of the restores of a backup, the newest first."""
    query = select(Restore).where(Restore.backup_id == backup_id).order_by(Restore.id.desc())
    return list(session.scalars(query if purpose is None else query.where(Restore.purpose == purpose)))


def swaps_on(session: Session, target_id: int) -> list[Restore]:
    """Restores that are in the place of the target's database, or are just being put there or back."""
    swapped = (RestoreState.SWAPPED, RestoreState.SWAPPING, RestoreState.SWAPPING_BACK)
    query = select(Restore).join(Backup, Backup.id == Restore.backup_id)
    return list(session.scalars(query.where(Backup.target_id == target_id, Restore.state.in_(swapped)).order_by(Restore.id)))


def is_settled(restore: Restore) -> bool:
    """True where no worker has anything to do with the restore."""
    return restore.state not in MOVING_RESTORES
