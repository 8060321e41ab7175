"""A worker that can't go on says so in the run, and does not try for ever."""

from pathlib import Path

import pytest

from app.actions.worker.advance_run import advance_run
from app.actions.worker.desk import Desk
from app.clock import SystemClock
from app.run.states import RunState
from app.settings import Settings
from app.store.sessions import make_engine, make_sessions
from app.store.tables.runs import Run
from app.target.secrets import new_key
from tests.doubles.databases import Database
from tests.doubles.rows import make_rows, make_run


@pytest.fixture
def desk(metadata: Database, tmp_path: Path):
    keys = tmp_path / "keys"
    keys.write_text(new_key("first") + "\n")
    engine = make_engine(metadata.dsn)
    settings = Settings(database_url=metadata.dsn, secret_key_file=keys, data_dir=tmp_path)
    yield Desk(engine=engine, sessions=make_sessions(engine), settings=settings, clock=SystemClock(), owner="test:1")
    engine.dispose()


@pytest.mark.parametrize("state", [RunState.SCHEDULED, RunState.RUNNING, RunState.VERIFYING])
def test_a_run_whose_connection_string_does_not_open_fails_with_the_reason(desk: Desk, state: RunState):
    with desk.sessions.begin() as session:
        run = make_run(session, make_rows(session, sealed_dsn="v1:lost:xxxx"), state=state)
        number = run.id
    assert advance_run(desk, number) is False
    with desk.sessions() as session:
        seen = session.get_one(Run, number)
        assert seen.state is RunState.FAILED
        assert "sealed connection string" in seen.reason
        assert (seen.owner, seen.lease_until) == (None, None)


def test_a_run_that_nobody_may_drive_now_is_left_alone(desk: Desk):
    with desk.sessions.begin() as session:
        number = make_run(session, make_rows(session), state=RunState.PAUSED).id
    assert advance_run(desk, number) is False
    with desk.sessions() as session:
        assert session.get_one(Run, number).fence == 0
