"""The world that actions are tested in."""

from collections.abc import Iterator

import pytest

from tests.doubles.clock import FixedClock
from tests.doubles.databases import Database
from tests.doubles.world import World, a_world


@pytest.fixture
def world(metadata: Database, clock: FixedClock) -> Iterator[World]:
    """A project with staging and production, and a person for each role."""
    with a_world(metadata, clock) as made:
        yield made
