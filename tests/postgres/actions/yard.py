"""A world whose production target is a real database, with a worker that does what is queued about its backups."""

from dataclasses import dataclass

from app.actions.name_sessions import name_sessions
from app.actions.restore_backup import restore_backup
from app.actions.swap_database import swap_database
from app.actions.take_backup import take_backup
from app.actions.worker.desk import Desk
from app.actions.worker.perform_job import perform_job
from app.store.tables import AuditLine, Backup, Job, Restore
from app.store.words import BackupState, JobKind, RestoreState
from tests.doubles.databases import Database
from tests.doubles.world import World

OURS = [JobKind.BACKUP, JobKind.VERIFY_BACKUP, JobKind.RESTORE, JobKind.NAME_SESSIONS, JobKind.SWAP_DATABASE]


@dataclass(frozen=True, kw_only=True)
class Yard:
    """The world, whose production target is a real database, and a worker."""

    world: World
    desk: Desk
    shop: Database

    def work(self) -> None:
        """Do what is queued, as a worker would."""
        with self.world.sessions() as session:
            numbers = [job.id for job in session.query(Job).filter(Job.kind.in_(OURS), Job.state == "queued").order_by(Job.id)]
        for number in numbers:
            perform_job(self.desk, number)

    def backup(self, number: int) -> Backup:
        with self.world.sessions() as session:
            return session.get_one(Backup, number)

    def restore(self, number: int) -> Restore:
        with self.world.sessions() as session:
            return session.get_one(Restore, number)

    def taken(self, **also) -> int:
        with self.world.work("operator") as work:
            number = take_backup(work, target_id=self.world.production.id, **also).id
        self.work()
        assert self.backup(number).state is BackupState.DONE, self.backup(number).error
        return number

    def restored(self, number: int) -> int:
        name = f"{self.shop.name}_new"
        with self.world.work("operator") as work:
            made = restore_backup(work, backup_id=number, new_database=name, confirmation=name).id
        self.work()
        assert self.restore(made).state is RestoreState.DONE, self.restore(made).error
        return made

    def swapped(self, number: int, *, end_sessions: bool = False) -> Restore:
        with self.world.work("operator") as work:
            name_sessions(work, restore_id=number)
        self.work()
        with self.world.work("operator") as work:
            swap_database(work, restore_id=number, confirmation="shop-production", end_sessions=end_sessions)
        self.work()
        return self.restore(number)

    def acts(self) -> list[str]:
        with self.world.sessions() as session:
            lines = session.query(AuditLine).filter_by(subject_kind="backup").order_by(AuditLine.id)
            return [line.act for line in lines]
