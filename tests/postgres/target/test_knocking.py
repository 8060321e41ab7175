"""A target that takes a connection and says nothing: whoever waits for it can be asked to stop."""

import socket
import time
from collections.abc import Iterator

import pytest

from app.engine.order import TargetAway
from app.target.knocking import connect_unless
from app.target.session import Target
from tests.doubles.databases import Database
from tests.doubles.diary import Diary
from tests.doubles.orders import a_step, an_order, one_slice


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        yield f"postgresql://app@127.0.0.1:{door.getsockname()[1]}/shop?connect_timeout=60"


def test_a_run_that_is_asked_to_stop_lets_go_of_a_target_that_does_not_answer(database: Database, silent: str) -> None:
    diary = Diary()
    diary.ask = "pause"
    began = time.monotonic()
    result = one_slice(an_order(database, a_step("s", sql="SELECT 1"), dsn=silent), diary)
    assert isinstance(result, TargetAway)
    assert "asked to stop" in result.error.message
    assert time.monotonic() - began < 10, "not the minute of connect_timeout"


def test_a_target_that_answers_is_not_given_up_by_an_ask(database: Database) -> None:
    with connect_unless(lambda: True, lambda: Target.connect(database.dsn, purpose="x")) as target:
        assert target.one("SELECT 1 AS one") == {"one": 1}
