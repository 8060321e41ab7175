"""Sessions that wait, for tests: a statement on a thread of its own, and a question asked until the answer is yes."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg

from tests.doubles.databases import Database


def until(condition: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Ask until the answer is true; an AssertionError says that it never was."""
    event, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        event.wait(0.02)


@contextmanager
def running(database: Database, statement: str, *, application: str = "test") -> Iterator[int]:
    """The pid of a session that runs the statement and is cancelled at the end."""
    connection = psycopg.connect(database.dsn, autocommit=True, application_name=application)

    def run() -> None:
        with suppress(psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
            connection.execute(statement)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield connection.info.backend_pid
    finally:
        while thread.is_alive():
            connection.cancel_safe()
            thread.join(0.2)
        connection.close()
