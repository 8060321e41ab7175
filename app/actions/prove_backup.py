"""Ask a worker for the proof: a test restore into a scratch database, its rows compared with those of the dump's moment."""

from app.actions import queueing, reach
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import backups, targets
from app.store.tables.backups import Restore
from app.store.words import JobKind, RestorePurpose


def prove_backup(work: Work, *, backup_id: int) -> Restore:
    """Queue it; while one is open, that one is found. The scratch database is dropped in any case, the result is kept.

    Raises NotFoundError, NotAllowedError, MovedMeanwhileError where the backup is not there (any more).
    """
    backup = reach.backup(work, backup_id, Permission.BACK_UP)
    reach.require_stored(backup)
    proof = backups.request_restore(
        work.session,
        backup.id,
        new_database=f"headgate_proof_{backup.id}",
        requested_by=work.actor.person_id,
        now=work.now,
        purpose=RestorePurpose.PROOF,
    )
    queueing.job(work, JobKind.RESTORE, proof.id)
    target = targets.get(work.session, backup.target_id)
    work.note("prove_backup", "backup", backup.id, project_id=target.project_id, target=target.name)
    return proof
