"""Targets that can't be used, by every way in: the command line, the engine, and the worker that tests connections."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from app.actions.load_readiness import load_readiness
from app.actions.worker.desk import Desk
from app.actions.worker.perform_job import perform_job
from app.cli.main import main
from app.embedded.ports import free_port
from app.store import targets
from app.store.tables import Job
from app.store.tables import Target as TargetRow
from app.store.words import JobKind, JobState
from app.target.errors import TargetUnreachableError
from app.target.secrets import load_keys
from app.target.session import Target
from tests.doubles.databases import Database, running_server
from tests.doubles.old_server import old_server
from tests.doubles.standby import standby_of
from tests.doubles.world import a_world

SECRET = "hunter2-swordfish"


def changed(database: Database, **parts: Any) -> str:
    """The database's connection string with some of its parts changed."""
    return psycopg.conninfo.make_conninfo(database.dsn, **parts)


@pytest.fixture(scope="module")
def standby() -> Iterator[str]:
    """The address of a real hot standby."""
    with running_server() as primary, standby_of(primary) as copy:
        yield copy.dsn()


@pytest.fixture
def cases(database: Database, standby: str) -> Iterator[dict[str, str]]:
    """What is wrong -> a connection string that has it."""
    database.execute("DROP ROLE IF EXISTS limited; CREATE ROLE limited LOGIN PASSWORD 'right'")
    with old_server() as port:
        yield {
            "malformed": f"postgresql://app:{SECRET}@[half/shop",
            "refused": changed(database, port=free_port(), password=SECRET),
            "password": changed(database, user="limited", password=SECRET),
            "database": changed(database, dbname="no_such_database"),
            "too_old": f"postgresql://app:{SECRET}@127.0.0.1:{port}/shop?sslmode=disable&gssencmode=disable",
            "standby": standby,
        }


KINDS = ("malformed", "refused", "password", "database", "too_old", "standby")
SAID = {
    "malformed": "connection string",
    "refused": "Nobody answers at",
    "password": "refused the user name or the password",
    "database": "has no such database",
    "too_old": "9.6.24",
    "standby": "standby",
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_engines_door_says_what_where_and_the_way_out_and_keeps_the_secret(cases, kind):
    with pytest.raises(TargetUnreachableError) as refused:
        Target.connect(cases[kind], purpose="x")
    error = refused.value
    assert error.kind == kind, error.message
    assert SAID[kind] in error.message
    assert error.hint
    assert SECRET not in json.dumps(error.as_json()) + repr(error)


@pytest.mark.parametrize("command", ["apply", "status", "rollback", "backfill"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_command_line_ends_with_its_code_and_the_error_object(cases, tmp_path, capsys, command, kind):
    (tmp_path / "001_a.up.sql").write_text("CREATE TABLE a (id int);")
    (tmp_path / "001_a.down.sql").write_text("DROP TABLE a;")
    more = {
        "apply": [str(tmp_path)],
        "status": [str(tmp_path), "--json"],
        "rollback": ["--last"],
        "backfill": ["--table", "public.a", "--set", "b = 1", "--where", "b IS NULL"],
    }[command]
    code = main([command, *more, "--dsn", cases[kind]])
    printed = capsys.readouterr()
    if (command, kind) == ("status", "standby"):
        assert code == 0, printed.err
        assert [entry["name"] for entry in json.loads(printed.out)["pending"]] == ["001_a"]
        return
    assert code == (2 if kind == "malformed" else 3), printed.out + printed.err
    told = printed.out + printed.err
    assert SAID[kind] in told
    assert SECRET not in told


def test_nothing_is_made_on_a_target_that_was_refused(standby):
    with psycopg.connect(standby, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'headgate'").fetchone() == (0,)
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "malformed"])
def test_the_connection_test_keeps_why_and_the_plan_page_says_it(cases, metadata, clock, kind):
    with a_world(metadata, clock) as world:
        desk = Desk(engine=world.engine, sessions=world.sessions, settings=world.settings, clock=clock, owner="here:1")
        plan = world.ready()
        with world.sessions.begin() as session:
            target = session.get_one(TargetRow, world.production.id)
            target.sealed_dsn = targets.seal_dsn(load_keys(world.settings), target.id, cases[kind])
            job = session.scalars(select(Job).where(Job.subject_id == target.id, Job.kind == JobKind.TEST_TARGET)).first().id
        assert perform_job(desk, job) is True
        with world.sessions() as session:
            found = session.get_one(TargetRow, world.production.id)
            done = session.get_one(Job, job)
            assert done.state is JobState.FAILED
            assert SAID[kind] in found.last_error["message"] == done.error["message"]
            assert found.last_error["hint"]
            assert SECRET not in json.dumps([found.last_error, done.error])
            answer = load_readiness(session, revision_id=world.revision(plan).id, target_id=world.production.id, now=clock.now())
            assert [gap.why for gap in answer.missing if gap.gate == "target"] == [found.last_error["message"]]
