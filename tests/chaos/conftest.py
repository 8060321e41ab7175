"""One product for all chaos of a test process: two workers, two schedulers, short leases, and a second server as the target."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from app.embedded.postgres import EmbeddedPostgres
from tests.chaos.driver import finished, to_the_end
from tests.chaos.stages import Facts, facts, new_order, undo_order
from tests.doubles.databases import fresh_database, running_server
from tests.journey.theatre import Theatre, play_house

LEASE_SECONDS = 2


@pytest.fixture(scope="package")
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


@dataclass(frozen=True, kw_only=True)
class Calm:
    """What the plan of stages.py comes to when nobody disturbs it."""

    done: Facts
    undone: Facts


@pytest.fixture(scope="session")
def calm(postgres_server: EmbeddedPostgres) -> Calm:
    """A run and its rollback, undisturbed."""
    with fresh_database(postgres_server) as database:
        order = new_order(database)
        assert finished(to_the_end(order))
        done = facts(database)
        assert finished(to_the_end(undo_order(order)))
        return Calm(done=done, undone=facts(database))
