"""Projects, environments and targets: sealed at once, refused by field, tested once however often it is asked for."""

import pytest

from app.actions.add_target import add_target
from app.actions.create_environment import create_environment
from app.actions.create_project import create_project
from app.actions.edit_environment import edit_environment
from app.actions.edit_target import edit_target
from app.actions.read_schema import read_schema
from app.actions.restore_backup import restore_backup
from app.actions.retire_target import retire_target
from app.actions.take_backup import take_backup
from app.actions.test_target import test_target as ask_for_test
from app.errors import InvalidInputError, MovedMeanwhileError
from app.review.policy import EnvironmentPolicy
from app.store import targets
from app.store.tables import AuditLine, Backup, Environment, Job, Restore, Target
from app.store.words import JobKind, JobState
from app.target.secrets import SecretKeyError, load_keys, new_key, parse_keys
from tests.doubles.world import KEY, World

DSN = "postgresql://app:swordfish@db.internal:5432/shop"


def add(world: World, **also) -> Target:
    with world.work("project_admin") as work:
        return add_target(work, **{"environment_id": world.production.environment_id, "name": "replica", "dsn": DSN, **also})


def test_a_connection_string_is_sealed_and_never_seen_again(world: World, metadata):
    target = add(world)
    assert target.dsn_summary == "db.internal:5432/shop as app"
    assert targets.open_dsn(load_keys(world.settings), target) == DSN
    for table in ("targets", "audit_log", "jobs", "run_events"):
        assert "swordfish" not in str(metadata.rows(f"SELECT * FROM {table}")), table


def test_a_sealed_string_that_is_moved_to_another_target_does_not_open(world: World):
    target = add(world)
    target.sealed_dsn = world.production.sealed_dsn
    with pytest.raises(SecretKeyError):
        targets.open_dsn(load_keys(world.settings), target)


def test_every_string_is_sealed_anew_with_a_newer_key(world: World):
    target = add(world)
    keys = parse_keys([new_key("k2"), KEY])
    with world.sessions.begin() as session:
        assert targets.rotate_dsns(session, keys) == 3
        assert targets.rotate_dsns(session, keys) == 0
    with world.sessions() as session:
        row = targets.get(session, target.id)
        assert ":k2:" in row.sealed_dsn
        assert targets.open_dsn(keys, row) == DSN


def test_a_new_target_is_tested_by_a_worker(world: World):
    target = add(world)
    with world.sessions() as session:
        job = session.query(Job).filter_by(kind=JobKind.TEST_TARGET, subject_id=target.id).one()
    assert world.wakes[-1].id == job.id


@pytest.mark.parametrize(
    "dsn",
    [
        "",
        "mysql://swordfish@db/x",
        "postgresql://app:swordfish@db:99999/x",
        "host=db pasword=swordfish",
        "postgresql://app:sword%zzfish@db/x",
        "host=db\npassword=swordfish",
    ],
)
def test_a_malformed_connection_string_is_refused_by_field_and_not_repeated(world: World, dsn: str):
    with pytest.raises(InvalidInputError) as refused:
        add(world, dsn=dsn)
    assert set(refused.value.fields) == {"dsn"}
    assert "fish" not in str(refused.value.as_json()) + str(refused.value.fields)


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "shop-production"])
def test_a_name_that_is_missing_too_long_or_taken_is_refused(world: World, name: str):
    with pytest.raises(InvalidInputError) as refused:
        add(world, name=name)
    assert set(refused.value.fields) == {"name"}


def test_a_new_connection_forgets_what_was_known_of_the_old_one(world: World):
    with world.work("project_admin") as work:
        edit_target(work, target_id=world.production.id, dsn="host=other dbname=shop user=app password=swordfish")
    with world.sessions() as session:
        row = targets.get(session, world.production.id)
    assert (row.dsn_summary, row.capabilities, row.last_checked_at) == ("other:5432/shop as app", None, None)


def test_an_empty_connection_string_in_the_form_leaves_it_as_it_is(world: World):
    with world.work("project_admin") as work:
        edit_target(work, target_id=world.production.id, name="main", dsn=" ")
    with world.sessions() as session:
        row = targets.get(session, world.production.id)
    assert (row.name, row.dsn_summary, row.sealed_dsn) == ("main", world.production.dsn_summary, world.production.sealed_dsn)


def test_a_target_that_a_run_holds_is_neither_moved_nor_retired(world: World):
    world.started()
    for attempt in (
        lambda work: edit_target(work, target_id=world.production.id, dsn=DSN),
        lambda work: retire_target(work, target_id=world.production.id),
    ):
        with pytest.raises(MovedMeanwhileError, match="holds shop-production"), world.work("project_admin") as work:
            attempt(work)


def test_a_test_that_is_asked_for_twice_is_done_once(world: World):
    with world.sessions.begin() as session:
        session.query(Job).update({"state": JobState.DONE})
    numbers = set()
    for _ in range(2):
        with world.work("author") as work:
            numbers.add(ask_for_test(work, target_id=world.production.id).id)
    assert len(numbers) == 1
    with world.sessions.begin() as session:
        session.query(Job).update({"state": JobState.FAILED})
    with world.work("author") as work:
        assert ask_for_test(work, target_id=world.production.id).id not in numbers, "after it ended it can be asked for again"


def test_reading_the_schema_is_another_job(world: World):
    with world.work("author") as work:
        assert read_schema(work, target_id=world.production.id).kind is JobKind.SNAPSHOT_SCHEMA


def test_environments_follow_each_other_and_get_the_rules_of_their_kind(world: World):
    with world.work("project_admin") as work:
        made = create_environment(work, project_id=world.project.id, name="disaster recovery", is_production=True)
    assert (made.position, made.color) == (3, "red")
    assert EnvironmentPolicy.from_json(made.policy).backup_required
    with world.sessions() as session:
        names = [environment.name for environment in targets.environments(session, world.project.id)]
    assert names == ["staging", "production", "disaster recovery"]


def test_rules_that_are_not_given_stay_and_the_change_is_audited(world: World):
    with world.work("project_admin") as work:
        edit_environment(work, environment_id=world.production.environment_id, policy={"lock_timeout_ms": 500})
    with world.sessions() as session:
        policy = EnvironmentPolicy.from_json(session.get_one(Environment, world.production.environment_id).policy)
        line = session.query(AuditLine).filter_by(act="edit_environment").one()
    assert (policy.lock_timeout_ms, policy.approvals.high) == (500, 2)
    assert line.details["changes"]["policy"]["after"]["lock_timeout_ms"] == 500


@pytest.mark.parametrize(
    "policy",
    [
        {"approvals": {"high": -1}},
        {"approvals": {"highest": 1}},
        {"windows": [["someday", "1:00", "2:00"]]},
        {"backup_required": "yes"},
        {"unknown": 1},
        {"approver_role": "king"},
        {"checklist": "all"},
        {"lock_timeout_ms": True},
        {"profile": "ludicrous"},
    ],
)
def test_rules_that_make_no_sense_are_refused_by_field(world: World, policy: dict):
    with pytest.raises(InvalidInputError) as refused, world.work("project_admin") as work:
        edit_environment(work, environment_id=world.production.environment_id, policy=policy)
    assert set(refused.value.fields) == set(policy)


@pytest.mark.parametrize(
    "make",
    [
        lambda w, world: create_project(w, name="Shop"),
        lambda w, world: create_environment(w, project_id=world.project.id, name="staging"),
        lambda w, world: edit_environment(w, environment_id=world.production.environment_id, name="staging"),
    ],
)
def test_names_are_given_once(world: World, make):
    with pytest.raises(InvalidInputError) as refused, world.work("admin") as work:
        make(work, world)
    assert set(refused.value.fields) == {"name"}


def test_a_backup_that_is_asked_for_twice_is_taken_once(world: World):
    numbers = set()
    for _ in range(2):
        with world.work("operator") as work:
            numbers.add(take_backup(work, target_id=world.production.id).id)
    assert len(numbers) == 1
    with world.sessions() as session:
        assert session.query(Backup).one().format.value == "directory"
        assert session.query(AuditLine).filter_by(act="take_backup").count() == 1


@pytest.mark.parametrize("also", [{"format": "plain"}, {"jobs": 0}, {"jobs": 17}])
def test_a_backup_that_pg_dump_could_not_take_is_refused(world: World, also: dict):
    with pytest.raises(InvalidInputError), world.work("operator") as work:
        take_backup(work, target_id=world.production.id, **also)


def test_a_restore_goes_into_a_new_database_whose_name_was_typed_twice(world: World):
    number = world.backed_up()
    with pytest.raises(InvalidInputError, match="Type shop_old"), world.work("operator") as work:
        restore_backup(work, backup_id=number, new_database="shop_old", confirmation="shop")
    for _ in range(2):
        with world.work("operator") as work:
            restore_backup(work, backup_id=number, new_database="shop_old", confirmation="shop_old")
    with world.sessions() as session:
        assert session.query(Restore).one().new_database == "shop_old"


@pytest.mark.parametrize("name", ["", "Shop", "shop old", 'shop"; DROP', "x" * 64, "1shop"])
def test_a_restore_into_a_strange_name_is_refused(world: World, name: str):
    number = world.backed_up()
    with pytest.raises(InvalidInputError), world.work("operator") as work:
        restore_backup(work, backup_id=number, new_database=name, confirmation=name)


def test_a_backup_that_is_not_there_is_not_restored(world: World):
    with world.work("operator") as work:
        backup = take_backup(work, target_id=world.production.id)
    with pytest.raises(MovedMeanwhileError, match="queued"), world.work("operator") as work:
        restore_backup(work, backup_id=backup.id, new_database="shop_old", confirmation="shop_old")
