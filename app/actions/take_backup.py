"""Ask a worker for a backup of a target."""

from collections.abc import Sequence

from app.actions import queueing, reach, wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import backups
from app.store.tables.backups import Backup
from app.store.words import BackupFormat, JobKind

MOST_JOBS = 16
MOST_TABLES = 1000


def take_backup(
    work: Work,
    *,
    target_id: int,
    tables: Sequence[str] = (),
    format: str = "directory",  # noqa: A002  pg_dump's word
    jobs: int | str = 2,
) -> Backup:
    """Queue a backup of the whole database, or of some tables (qualified names); while one is open, that one is found.

    Raises NotFoundError, NotAllowedError, InvalidInputError.
    """
    target = reach.target(work, target_id, Permission.BACK_UP)
    if format not in set(BackupFormat):
        raise wording.refused("format", f"The formats are {', '.join(BackupFormat)}.")
    jobs = int(jobs) if str(jobs).isdigit() else 0
    if not 1 <= jobs <= MOST_JOBS:
        raise wording.refused("jobs", f"From 1 to {MOST_JOBS} jobs can be asked for.")
    tables = _named(tables)
    backup, is_new = backups.request(
        work.session,
        target.id,
        requested_by=work.actor.person_id or None,
        format=BackupFormat(format),
        jobs=jobs,
        tables=list(tables) or None,
        now=work.now,
    )
    queueing.job(work, JobKind.BACKUP, backup.id)
    if is_new:
        work.note("take_backup", "backup", backup.id, project_id=target.project_id, target=target.name, tables=list(tables))
    return backup


def _named(tables: Sequence[str]) -> list[str]:
    """The names without blanks around them, each once."""
    names = list(dict.fromkeys(name.strip() for name in tables if name.strip()))
    wrong = [name for name in names if not all(name.partition(".")[::2]) or "\x00" in name]
    if wrong:
        raise wording.refused("tables", f"Write schema.table, say public.users; {wrong[0][:80]!r} is not so.")
    if len(names) > MOST_TABLES:
        raise wording.refused("tables", f"At most {MOST_TABLES} tables can be named; leave it empty for all.")
    return names
