"""Backups from the asking to their end, with a real worker's verbs on a real database, and what is kept of them."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.actions.cancel_backup import cancel_backup
from app.actions.cancel_restore import cancel_restore
from app.actions.name_sessions import name_sessions
from app.actions.pause_run import pause_run
from app.actions.prove_backup import prove_backup
from app.actions.take_backup import take_backup
from app.actions.verify_backup import verify_backup
from app.actions.worker.desk import Desk
from app.actions.worker.expire_backups import expire_backups
from app.actions.worker.following import begin
from app.actions.worker.perform_job import perform_job
from app.errors import InvalidInputError, MovedMeanwhileError
from app.plan.model import Step
from app.run.states import RunState
from app.store.tables import AuditLine, Backup, Job
from app.store.words import BackupState, JobKind, RestoreState
from tests.doubles.world import World, a_plan, a_step
from tests.postgres.actions.yard import Yard


def test_a_backup_is_taken_verified_and_proven_and_all_of_it_is_kept(yard: Yard):
    number = yard.taken()
    taken = yard.backup(number)
    assert (taken.manifest["rows"], Path(taken.path).is_dir(), taken.progress) == ({"public.users": 500}, True, None)
    yard.shop.execute("DELETE FROM users WHERE id > 7")
    with yard.world.work("operator") as work:
        verify_backup(work, backup_id=number)
        proof = prove_backup(work, backup_id=number).id
        assert prove_backup(work, backup_id=number).id == proof, "asked for twice, done once"
    yard.work()
    seen, result = yard.backup(number), yard.restore(proof).result
    assert (seen.checked["ok"], seen.checked["entries"]) == (True, seen.entries)
    assert seen.proven_at == yard.world.clock.now()
    assert (result["is_equal"], result["rows"]["public.users"], result["seconds"] > 0) == (True, 500, True)
    assert yard.shop.value("SELECT count(*) FROM pg_database WHERE datname LIKE 'headgate_proof_%%'") == 0
    assert yard.acts() == ["take_backup", "verify_backup", "prove_backup", "prove_backup"]


def test_a_damaged_backup_does_not_count_any_more(yard: Yard):
    number = yard.taken()
    (Path(yard.backup(number).path) / "toc.dat").unlink()
    with yard.world.work("operator") as work:
        verify_backup(work, backup_id=number)
    yard.work()
    seen = yard.backup(number)
    assert (seen.checked["is_damaged"], seen.verified_at) == (True, None)
    assert "toc.dat is gone" in seen.checked["error"]["message"]


def test_a_backup_whose_rows_differ_after_the_test_restore_is_not_proven(yard: Yard):
    from app.backup.manifest import manifest_from

    number = yard.taken()
    with yard.world.sessions.begin() as session:
        row = session.get_one(Backup, number)
        forged = manifest_from({**row.manifest, "rows": {"public.users": 501}})
        row.sha256 = forged.sha256
        Path(row.path + ".manifest.json").write_text(forged.text())
    with yard.world.work("operator") as work:
        proof = prove_backup(work, backup_id=number).id
    yard.work()
    assert yard.restore(proof).result["differs"] == {"public.users": [501, 500]}
    assert yard.backup(number).proven_at is None


def test_a_backup_that_is_cancelled_before_a_worker_took_it_is_never_begun(yard: Yard):
    with yard.world.work("operator") as work:
        number = take_backup(work, target_id=yard.world.production.id).id
    for _ in range(2):
        with yard.world.work("operator") as work:
            assert cancel_backup(work, backup_id=number).state is BackupState.CANCELLED
    yard.work()
    assert yard.backup(number).attempt == 0
    assert yard.acts() == ["take_backup", "cancel_backup"]


def test_a_backup_that_is_cancelled_while_it_is_taken_leaves_nothing_and_says_who(yard: Yard):
    with yard.world.work("operator") as work:
        number = take_backup(work, target_id=yard.world.production.id).id
    with yard.shop.connect(autocommit=False) as holder:
        holder.execute("LOCK TABLE users")
        with yard.world.work("operator") as work:
            job = work.session.query(Job).filter_by(kind=JobKind.BACKUP, subject_id=number).one().id
        desk = cancelling(yard, number)
        perform_job(desk, job)
    seen = yard.backup(number)
    assert (seen.state, seen.error["message"]) == (BackupState.CANCELLED, "Cancelled by Operator.")
    assert list(yard.desk.settings.backups.iterdir()) == []
    with pytest.raises(MovedMeanwhileError, match="cancelled"), yard.world.work("operator") as work:
        verify_backup(work, backup_id=number)


def cancelling(yard: Yard, number: int) -> Desk:
    """The worker's desk, at which a person cancels the backup as soon as it is under way."""
    from threading import Thread

    from tests.doubles.waiting import until

    def cancel() -> None:
        until(lambda: yard.backup(number).progress)
        with yard.world.work("operator") as work:
            cancel_backup(work, backup_id=number)

    Thread(target=cancel, daemon=True).start()
    return yard.desk


def test_a_worker_that_was_cut_off_writes_nothing_over_the_one_that_took_over(yard: Yard):
    with yard.world.work("operator") as work:
        number = take_backup(work, target_id=yard.world.production.id).id
    stale = begin(yard.desk, Backup, number)
    yard.work()
    assert (yard.backup(number).state, yard.backup(number).attempt) == (BackupState.DONE, 2)
    with pytest.raises(InvalidInputError), stale.ended_true():
        raise InvalidInputError("too late")
    assert yard.backup(number).state is BackupState.DONE


def test_a_restore_that_is_cancelled_is_not_begun_and_a_proof_is_no_database_to_swap(yard: Yard):
    number = yard.taken()
    with yard.world.work("operator") as work:
        proof = prove_backup(work, backup_id=number).id
        cancel_restore(work, restore_id=proof)
    yard.work()
    assert yard.restore(proof).state is RestoreState.CANCELLED
    with pytest.raises(MovedMeanwhileError), yard.world.work("operator") as work:
        name_sessions(work, restore_id=proof)


def test_old_backups_go_but_not_the_newest_good_one_nor_what_a_run_rests_on(yard: Yard):
    world = yard.world
    first, second, third = (yard.taken() for _ in range(3))
    world.policy(world.production, backups_kept_newest=0, backups_kept_days=30)
    ages = {first: 50, second: 40, third: 35}
    with world.sessions.begin() as session:
        for number, days in ages.items():
            session.get_one(Backup, number).finished_at = world.clock.now() - timedelta(days=days)
    run = world.started()
    world.driven(run, RunState.MONITORING)
    with world.sessions.begin() as session:
        session.get_one(type(run), run.id).started_at = world.clock.now() - timedelta(days=38)
        session.query(Backup).filter(Backup.id.not_in(ages)).delete()
    path = Path(yard.backup(first).path)
    assert expire_backups(yard.desk) == 1
    assert [yard.backup(number).state.value for number in ages] == ["deleted", "done", "done"]
    assert (path.exists(), path.with_name(path.name + ".manifest.json").exists()) == (False, False)
    with world.sessions() as session:
        line = session.query(AuditLine).filter_by(act="delete_backup").one()
    assert (line.actor, line.subject_id, line.details["why"]) == (
        "headgate",
        first,
        "It is older than 30 days, and there are newer ones.",
    )
    assert expire_backups(yard.desk) == 0


def test_what_could_not_be_removed_is_tried_again(yard: Yard):
    number = yard.taken()
    with yard.world.sessions.begin() as session:
        row = session.get_one(Backup, number)
        row.state, row.path = BackupState.DELETING, "s3://nowhere-at-all/" + Path(row.path or "").name
    away = yard.desk.settings.model_copy(update={"s3_endpoint": "http://127.0.0.1:9", "s3_access_key_id": "k"})
    with yard.world.sessions() as session:
        kept = session.get_one(Backup, number).path
    desk = Desk(engine=yard.desk.engine, sessions=yard.desk.sessions, settings=away, clock=yard.desk.clock, owner="test:1")
    assert expire_backups(desk) == 0
    assert (yard.backup(number).state, yard.backup(number).path) == (BackupState.DELETING, kept)


def test_a_run_that_takes_a_backup_can_not_be_paused_and_the_refusal_says_why(world: World):
    dump = Step(id="dump", kind="backup", title="Dump", spec={})
    run = world.started(world.ready(a_plan(steps=(dump, a_step("add-note")))))
    world.driven(run, RunState.RUNNING, step="dump", steps={"dump": "running"})
    with pytest.raises(MovedMeanwhileError, match="half of a dump is worth nothing"), world.work("operator") as work:
        pause_run(work, run_id=run.id)
    world.driven(run, RunState.RUNNING, step="add-note", steps={"dump": "succeeded", "add-note": "running"})
    with world.work("operator") as work:
        assert pause_run(work, run_id=run.id).state is RunState.PAUSING


@pytest.mark.parametrize("tables", [["users"], ["public."], [".users"], ["public.users", "x"]])
def test_a_table_without_its_schema_is_refused_by_field(world: World, tables: list[str]):
    with pytest.raises(InvalidInputError) as refused, world.work("operator") as work:
        take_backup(work, target_id=world.production.id, tables=tables)
    assert set(refused.value.fields) == {"tables"}
