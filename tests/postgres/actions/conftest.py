"""The world that actions are tested in."""

from collections.abc import Iterator

import pytest

from app.run.states import RunState
from app.store.tables import Plan, Run
from tests.doubles.clock import FixedClock
from tests.doubles.databases import Database
from tests.doubles.world import World, a_world


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
