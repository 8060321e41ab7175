"""Gathers from rows what retention is judged by; pages and the worker that deletes ask the same."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from app.backup.retention import Kept, Verdict, judge
from app.store import backups, runs, targets
from app.store.tables.targets import Target


def load_retention(session: Session, target: Target, *, now: datetime) -> Mapping[int, Verdict]:
    """Stored backup of the target -> whether it goes now, and why."""
    policy = targets.policy_of(session, target)
    kept = [
        Kept(
            id=row.id,
            finished_at=row.finished_at or row.created_at,
            is_whole=row.tables is None,
            is_good=row.verified_at is not None,
        )
        for row in backups.stored_of(session, target.id)
    ]
    return judge(
        kept,
        newest=policy.backups_kept_newest,
        days=policy.backups_kept_days,
        needed=_needed(session, target.id, kept),
        now=now,
    )


def _needed(session: Session, target_id: int, kept: list[Kept]) -> dict[int, str]:
    """Backups that an unfinished run rests on, that a step of such a run took, or that are restored or swapped in just now."""
    needed = {}
    good = sorted((each for each in kept if each.is_whole and each.is_good), key=lambda each: each.finished_at)
    for run in runs.unfinished_on(session, target_id):
        why = f"Run {run.id} rests on it and is not over."
        began = run.started_at or run.created_at
        before = [each.id for each in good if each.finished_at <= began]
        needed.update(dict.fromkeys([*before[-1:], *backups.ids_of_run(session, run.id)], why))
    for number, name in backups.restored_now(session, target_id):
        needed[number] = f"{name} is being restored from it, or stands in the place of the target's database."
    return needed
