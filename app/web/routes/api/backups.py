"""Backups, their proofs, restores beside, and the swap."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.actions import reach
from app.actions.cancel_backup import cancel_backup
from app.actions.cancel_restore import cancel_restore
from app.actions.name_sessions import name_sessions
from app.actions.permissions import Permission
from app.actions.prove_backup import prove_backup
from app.actions.restore_backup import restore_backup
from app.actions.swap_database import swap_database
from app.actions.take_backup import take_backup
from app.actions.verify_backup import verify_backup
from app.store import backups
from app.store.tables import Backup, Restore
from app.store.words import BackupFormat
from app.web.dependencies import SignedIn

router = APIRouter(tags=["backups"])
MOST_LISTED = 100


class BackupWish(BaseModel):
    """What is to be dumped; without anything the whole database."""

    tables: list[str] = Field(default=[], description="schema.table; empty: the whole database")
    format: str = BackupFormat.DIRECTORY.value
    jobs: int = 2


class RestoreWish(BaseModel):
    """A backup into a new database, whose name is typed twice."""

    new_database: str
    confirmation: str


class SwapWish(BaseModel):
    """The target's name, and whether the sessions that were named may be ended."""

    confirmation: str
    end_sessions: bool = False


@router.post("/targets/{target_id}/backups", status_code=202)
def start_backup(work: SignedIn, target_id: int, body: BackupWish | None = None) -> dict[str, Any]:
    """Queue a backup; while one is open, that one is answered."""
    wish = body or BackupWish()
    return {"backup": take_backup(work, target_id=target_id, tables=wish.tables, format=wish.format, jobs=wish.jobs).id}


@router.get("/targets/{target_id}/backups")
def list_backups(work: SignedIn, target_id: int) -> dict[str, Any]:
    """The newest backups of a database, without their tables."""
    target = reach.target(work, target_id, Permission.VIEW)
    return {"backups": [_line(row) for row in backups.of_target(work.session, target.id, limit=MOST_LISTED)]}


@router.get("/backups/{backup_id}")
def show_backup(work: SignedIn, backup_id: int) -> dict[str, Any]:
    """A backup: state, size, hash, rows by table, what proves it."""
    row = reach.backup(work, backup_id, Permission.VIEW)
    manifest = row.manifest or {}
    return {
        **_line(row),
        "progress": row.progress,
        "rows": manifest.get("rows"),
        "recipients": manifest.get("recipients"),
        "checked": row.checked,
        "restores": [_restore(each) for each in backups.restores_of(work.session, row.id)],
    }


def _line(row: Backup) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "format": row.format,
        "tables": row.tables,
        "run": row.run_id,
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
        "entries": row.entries,
        "location": row.path,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
        "verified_at": row.verified_at,
        "proven_at": row.proven_at,
        "deleted_at": row.deleted_at,
        "error": row.error,
    }


@router.post("/backups/{backup_id}/cancel", status_code=202)
def stop_backup(work: SignedIn, backup_id: int) -> dict[str, Any]:
    """Have it stopped; there is no pause."""
    return {"state": cancel_backup(work, backup_id=backup_id).state}


@router.post("/backups/{backup_id}/verify", status_code=202)
def start_check(work: SignedIn, backup_id: int) -> dict[str, Any]:
    """Queue the comparison of every byte with the manifest."""
    return {"job": verify_backup(work, backup_id=backup_id).id}


@router.post("/backups/{backup_id}/prove", status_code=202)
def start_proof(work: SignedIn, backup_id: int) -> dict[str, Any]:
    """Queue a test restore into a scratch database."""
    return {"restore": prove_backup(work, backup_id=backup_id).id}


@router.post("/backups/{backup_id}/restore", status_code=202)
def start_restore(work: SignedIn, backup_id: int, body: RestoreWish) -> dict[str, Any]:
    """Queue a restore into a new database beside the old one."""
    made = restore_backup(work, backup_id=backup_id, new_database=body.new_database, confirmation=body.confirmation)
    return {"restore": made.id}


@router.get("/restores/{restore_id}")
def show_restore(work: SignedIn, restore_id: int) -> dict[str, Any]:
    """A restore: state, rows counted, who is connected, the last swap."""
    row = reach.seen_restore(work, restore_id)
    return {**_restore(row), "progress": row.progress, "result": row.result, "sessions": row.sessions, "swap": row.swap}


def _restore(row: Restore) -> dict[str, Any]:
    return {
        "id": row.id,
        "backup": row.backup_id,
        "purpose": row.purpose,
        "state": row.state,
        "new_database": row.new_database,
        "set_aside": row.set_aside,
        "finished_at": row.finished_at,
        "error": row.error,
    }


@router.post("/restores/{restore_id}/cancel", status_code=202)
def stop_restore(work: SignedIn, restore_id: int) -> dict[str, Any]:
    """Have it stopped; the new database is dropped."""
    return {"state": cancel_restore(work, restore_id=restore_id).state}


@router.post("/restores/{restore_id}/sessions", status_code=202)
def look_at_sessions(work: SignedIn, restore_id: int) -> dict[str, Any]:
    """Queue a look at who is connected to both databases."""
    return {"job": name_sessions(work, restore_id=restore_id).id}


@router.post("/restores/{restore_id}/swap", status_code=202)
def start_swap(work: SignedIn, restore_id: int, body: SwapWish) -> dict[str, Any]:
    """Queue the swap with the target's database, or the swap back where it is in place."""
    row = swap_database(work, restore_id=restore_id, confirmation=body.confirmation, end_sessions=body.end_sessions)
    return {"state": row.state, "set_aside": row.set_aside}
