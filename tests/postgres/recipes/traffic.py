"""An application that never stops: two sessions with prepared statements, and what went wrong for them."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from tests.doubles.databases import Database


@dataclass(frozen=True, kw_only=True)
class Query:
    """A statement that is run again and again; ``{n}`` in it is a number that only grows."""

    sql: str
    #: makes the parameters from the number of the round
    parameters: Callable[[int], dict] = field(default=lambda number: {"n": number})


@dataclass
class Traffic:
    """What the sessions saw."""

    rounds: int = 0
    failures: list[str] = field(default_factory=list)
    slowest_ms: float = 0.0
    #: once a gate is answered the application is of the next release
    queries: Sequence[Query] = ()


@contextmanager
def traffic(database: Database, queries: Sequence[Query]) -> Iterator[Traffic]:
    """Two threads that run the queries, prepared on the server from the first time, until the block ends."""
    seen, stop, lock = Traffic(queries=queries), threading.Event(), threading.Lock()

    def session(seed: int) -> None:
        with psycopg.connect(database.dsn, autocommit=True, prepare_threshold=0) as connection:
            number = seed
            while not stop.is_set():
                number += 2
                for query in seen.queries:
                    started = time.perf_counter()
                    try:
                        connection.execute(query.sql, query.parameters(number), prepare=True)
                    except psycopg.Error as error:
                        with lock:
                            seen.failures.append(f"{query.sql} [{number}]: {error.sqlstate} {error}")
                    took = (time.perf_counter() - started) * 1000
                    with lock:
                        seen.rounds += 1
                        seen.slowest_ms = max(seen.slowest_ms, took)
                stop.wait(0.002)

    threads = [threading.Thread(target=session, args=(seed,)) for seed in (1_000_000, 1_000_001)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
