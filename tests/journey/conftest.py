"""One started product for all journeys of a test process: web, worker and scheduler as processes of their own."""

from collections.abc import Iterator

import pytest

from tests.journey.theatre import SMALL, Theatre, play_house


@pytest.fixture(scope="package")
def theatre() -> Iterator[Theatre]:
    """The stack with a small shop and its people; each test brings a target of its own."""
    with play_house(shops=SMALL, sweep_seconds="0.5", worker_concurrency="3") as made:
        yield made
