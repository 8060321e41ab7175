"""Every test of a page has the real application over a real database, and a signed-in browser for each role."""

from collections.abc import Iterator

import pytest

from tests.doubles.clock import FixedClock
from tests.doubles.databases import Database
from tests.doubles.world import World, a_world
from tests.web.site import Site


@pytest.fixture
def world(metadata: Database, clock: FixedClock) -> Iterator[World]:
    """A project with staging and production, and a person for each role."""
    with a_world(metadata, clock) as made:
        yield made


@pytest.fixture
def site(world: World) -> Site:
    """The application over that world."""
    return Site(world)
