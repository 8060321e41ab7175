"""Backups of targets, and restores of them into databases of their own."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, Numbered, Word, moment, one_of
from app.store.words import BackupFormat, BackupState, RestorePurpose, RestoreState


class Backup(Numbered, Base):
    """One pg_dump of a target."""

    __tablename__ = "backups"
    __table_args__ = (
        one_of("state", BackupState),
        one_of("format", BackupFormat),
        Index(None, "target_id", "finished_at"),
        Index(
            "uq_backups_requested",
            "target_id",
            unique=True,
            postgresql_where=text("run_id IS NULL AND state IN ('queued', 'running', 'cancelling')"),
        ),
    )

    target_id: Mapped[int] = mapped_column(ForeignKey("targets.id"))
    #: the run whose backup step made it
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    state: Mapped[BackupState] = mapped_column(Word(BackupState), server_default="queued")
    format: Mapped[BackupFormat] = mapped_column(Word(BackupFormat), server_default="directory")
    #: parallel workers of pg_dump
    jobs: Mapped[int] = mapped_column(server_default="2")
    #: qualified names; None means the whole database
    tables: Mapped[list[Any] | None]
    #: a path, or ``s3://bucket/prefix/name``
    path: Mapped[str | None]
    size_bytes: Mapped[int | None]
    sha256: Mapped[str | None]
    #: lines of pg_restore --list
    entries: Mapped[int | None]
    manifest: Mapped[dict[str, Any] | None]
    verified_at: Mapped[datetime | None]
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = moment()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    progress: Mapped[dict[str, Any] | None]
    #: how often a worker took it: one that was cut off and comes back finds a higher number and stops
    attempt: Mapped[int] = mapped_column(server_default="0")
    cancelled_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: what came of the last check on request
    checked: Mapped[dict[str, Any] | None]
    #: when a test restore had the rows of the dump
    proven_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class Restore(Numbered, Base):
    """A backup that is restored into a new database, to be used or as a proof."""

    __tablename__ = "restores"
    __table_args__ = (
        one_of("state", RestoreState),
        one_of("purpose", RestorePurpose),
        Index(
            "uq_restores_open",
            "backup_id",
            "new_database",
            unique=True,
            postgresql_where=text("state IN ('queued', 'running', 'cancelling')"),
        ),
    )

    backup_id: Mapped[int] = mapped_column(ForeignKey("backups.id"))
    purpose: Mapped[RestorePurpose] = mapped_column(Word(RestorePurpose), server_default="beside")
    new_database: Mapped[str]
    state: Mapped[RestoreState] = mapped_column(Word(RestoreState), server_default="queued")
    error: Mapped[dict[str, Any] | None]
    requested_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = moment()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None]
    progress: Mapped[dict[str, Any] | None]
    attempt: Mapped[int] = mapped_column(server_default="0")
    cancelled_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: the name that the old database has while this one is in its place
    set_aside: Mapped[str | None]
    #: who was connected to both databases at the last look
    sessions: Mapped[dict[str, Any] | None]
    #: the last swap: who asked, which sessions may be ended, what came of it
    swap: Mapped[dict[str, Any] | None]
    swapped_at: Mapped[datetime | None]
