"""The world that actions are tested in."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.actions.edit_target import edit_target
from app.actions.worker.desk import Desk
from app.run.states import RunState
from app.store.tables import Plan, Run
from tests.doubles.clock import FixedClock
from tests.doubles.databases import Database
from tests.doubles.world import World, a_world
from tests.postgres.actions.yard import Yard


@pytest.fixture
def world(metadata: Database, clock: FixedClock) -> Iterator[World]:
    """A project with staging and production, and a person for each role."""
    with a_world(metadata, clock) as made:
        yield made


@pytest.fixture
def plan(world: World) -> Plan:
    """In review, analysed as high: two approvals are needed."""
    made = world.imported()
    world.looked_at()
    world.analysed(made, "high")
    world.rehearsed(made)
    world.approved(made)
    return made


@pytest.fixture
def run(world: World) -> Run:
    """Running its first step."""
    made = world.started()
    world.driven(made, RunState.RUNNING, step="add-note", steps={"add-note": "running"})
    world.wakes.clear()
    return made


@pytest.fixture
def yard(world: World, database: Database, tmp_path: Path) -> Iterator[Yard]:
    database.execute("CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users SELECT generate_series(1, 500)")
    with world.work("project_admin") as work:
        target = edit_target(work, target_id=world.production.id, dsn=database.dsn)
        target.capabilities = {"has_statements": True, "is_sufficient": True, "missing": []}
    settings = world.settings.model_copy(update={"data_dir": tmp_path})
    desk = Desk(engine=world.engine, sessions=world.sessions, settings=settings, clock=world.clock, owner="test:1")
    yield Yard(world=world, desk=desk, shop=database)
    with psycopg.connect(database.server.dsn(), autocommit=True) as connection:
        for (name,) in connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'headgate_before_%%' OR datname = %s", [f"{database.name}_new"]
        ).fetchall():
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
