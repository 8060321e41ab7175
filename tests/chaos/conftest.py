"""One product for all chaos of a test process: two workers, two schedulers, short leases, and a second server as the target."""

from collections.abc import Iterator

import pytest

from app.embedded.postgres import EmbeddedPostgres
from tests.doubles.databases import running_server
from tests.journey.theatre import Theatre, play_house

LEASE_SECONDS = 2


@pytest.fixture(scope="session")
def house(postgres_server: EmbeddedPostgres) -> Iterator[Theatre]:
    """The stack; whoever breaks a part of it brings it back."""
    given = {"lease_seconds": str(LEASE_SECONDS), "slice_seconds": "1", "sweep_seconds": "0.25", "worker_concurrency": "1"}
    # nothing is rehearsed here: a third server would only take time
    with play_house(workers=2, schedulers=2, shadow_url=postgres_server.dsn(), **given) as made:
        yield made


@pytest.fixture(scope="session")
def frail_server() -> Iterator[EmbeddedPostgres]:
    """A target's server that may be stopped."""
    with running_server() as server:
        yield server
