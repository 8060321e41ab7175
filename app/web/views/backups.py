"""One backup as its page shows it: how far it is, what proves it, what was restored from it, and why it is still kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.actions import reach
from app.actions.load_retention import load_retention
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import backups, targets
from app.store.jobs import open_of
from app.store.tables import Backup, Job, Restore, Target
from app.store.words import BackupState, JobKind, RestorePurpose
from app.web.formats import plural, size

ROWS_SHOWN = 50
_CAME_TO_NOTHING = (BackupState.FAILED, BackupState.CANCELLED)
_PHASES = {
    "dumping": "pg_dump is at work",
    "encrypting": "Encrypting",
    "hashing": "Hashing",
    "storing": "Storing",
    "fetching": "Fetching the files",
    "checking": "Comparing the files with the manifest",
    "restoring": "pg_restore is at work",
    "counting": "Counting rows",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What a worker does now."""

    #: 0 to 1, None where nothing honest can be said
    fraction: float | None
    text: str
    #: the table or file at hand
    current: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRows:
    """One table in the comparison: rows in the dump's moment, and after the test restore."""

    name: str
    dumped: int | None
    restored: int | None
    #: item of the tones: passed, failed, unknown
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupPage:
    """Everything on the page."""

    backup: Backup
    target: Target
    #: set while it is taken
    doing: Doing | None
    check: Job | None
    check_doing: Doing | None
    manifest: Mapping[str, Any]
    rows_total: int | None
    proof: Restore | None
    proof_doing: Doing | None
    proof_rows: tuple[TableRows, ...]
    restores: tuple[tuple[Restore, Doing | None], ...]
    #: why it is still there, or when it goes; "" where it is not stored
    kept_because: str
    is_moving: bool
    is_stored: bool
    #: it came to nothing, and no run waits for it
    may_take_again: bool
    may_back_up: bool
    may_restore: bool


def backup_page(work: Work, backup_id: int) -> BackupPage:
    """Everything about one backup.

    Raises NotFoundError, NotAllowedError.
    """
    backup = reach.backup(work, backup_id, Permission.VIEW)
    session, target = work.session, targets.get(work.session, backup.target_id)
    proofs = backups.restores_of(session, backup.id, RestorePurpose.PROOF)
    restores = backups.restores_of(session, backup.id, RestorePurpose.BESIDE)
    check = open_of(session, JobKind.VERIFY_BACKUP, backup.id)
    proof, manifest = (proofs[0] if proofs else None), backup.manifest or {}
    is_open = backup.state in backups.OPEN
    is_stored = backup.state is BackupState.DONE
    verdict = load_retention(session, target, now=work.now).get(backup.id) if is_stored else None
    may_back_up = work.actor.may(target.project_id, Permission.BACK_UP) and not target.retired_at
    moving = [row for row in (*proofs, *restores) if not backups.is_settled(row)]
    return BackupPage(
        backup=backup,
        target=target,
        doing=doing(backup.progress, jobs=backup.jobs, waits=backup.state is BackupState.QUEUED) if is_open else None,
        check=check,
        check_doing=doing(check.progress, waits=check.started_at is None) if check else None,
        manifest=manifest,
        rows_total=_total(manifest.get("rows")),
        proof=proof,
        proof_doing=restore_doing(proof) if proof else None,
        proof_rows=_compared(manifest, proof),
        restores=tuple((row, restore_doing(row)) for row in restores),
        kept_because=verdict.why if verdict else "",
        is_moving=is_open or bool(moving) or check is not None,
        is_stored=is_stored,
        may_take_again=may_back_up and backup.state in _CAME_TO_NOTHING and backup.run_id is None,
        may_back_up=may_back_up,
        may_restore=work.actor.may(target.project_id, Permission.RESTORE),
    )


def doing(progress: Mapping[str, Any] | None, *, jobs: int = 0, waits: bool = False) -> Doing:
    """A worker's last look in words; ``jobs``: so many of the tables that were begun may not be done yet."""
    if not progress or "phase" not in progress:
        return Doing(fraction=None, text="Waiting for a worker." if waits else "Begun.", current="")
    phase, done, total = progress["phase"], progress.get("bytes_done") or 0, progress.get("bytes_total")
    begun, tables = progress.get("tables_done"), progress.get("tables_total")
    words = [_PHASES.get(phase, phase.capitalize())]
    fraction = min(done / total, 1.0) if total and phase != "dumping" else None
    if tables:
        words.append(f"{begun} of {plural(tables, 'table')} begun")
        fraction = max(0, (begun or 0) - max(jobs, 1)) / tables
    if phase == "dumping":
        words.append(f"{size(done)} written, from {size(total)} of tables (compressed, so the end is smaller)")
    elif total:
        words.append(f"{size(done)} of {size(total)}")
    return Doing(fraction=fraction, text=", ".join(words) + ".", current=progress.get("current") or "")


def restore_doing(restore: Restore) -> Doing | None:
    """What a restore does now, None where it is at rest."""
    if restore.state not in backups.OPEN_RESTORES:
        return None
    return doing(restore.progress, jobs=1, waits=restore.started_at is None)


def _total(rows: Mapping[str, int | None] | None) -> int | None:
    counts = [count for count in (rows or {}).values() if count is not None]
    return sum(counts) if rows else None


def _compared(manifest: Mapping[str, Any], proof: Restore | None) -> tuple[TableRows, ...]:
    """Differences first, then the largest tables."""
    if proof is None or not proof.result:
        return ()
    dumped, restored = manifest.get("rows") or {}, proof.result.get("rows") or {}
    rows = [_row(name, dumped.get(name), restored.get(name)) for name in dumped.keys() | restored.keys()]
    rows.sort(key=lambda row: (row.state == "passed", -(row.dumped or 0), row.name))
    return tuple(rows[:ROWS_SHOWN])


def _row(name: str, dumped: int | None, restored: int | None) -> TableRows:
    state = "unknown" if dumped is None else "passed" if dumped == restored else "failed"
    return TableRows(name=name, dumped=dumped, restored=restored, state=state)
