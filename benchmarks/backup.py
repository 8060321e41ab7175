"""Our backup against the bare pg_dump with the same options: what counts, checksums and progress cost."""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import psycopg

from app.backup.clients import find_client
from app.backup.dump import DumpOrder, dump
from app.backup.place import Place
from app.embedded.postgres import EmbeddedPostgres
from tests.doubles.databases import Database, fresh_database, running_server

ROWS, TABLES, PAIRS, JOBS = 2_000_000, 4, 8, 2
BAR = 1.03


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What one dump took."""

    seconds: float
    #: processor time of client programs, of us and of the server: a neighbour on the machine hardly changes it
    cpu: float


def figure(pairs: Sequence[tuple[Spent, Spent]]) -> None:
    """Print the figure as a line of the contract; lower is better."""
    value = statistics.median(our.seconds / bare.seconds for our, bare in pairs)
    cpu = statistics.median(our.cpu / bare.cpu for our, bare in pairs)
    line = {"contract": 1, "bench": "backup", "figure": "backup of 2,000,000 rows", "value": round(value, 3)}
    line |= {"unit": "x of bare pg_dump", "bar": BAR, "better": "lower", "ok": value <= BAR, "cpu": round(cpu, 3)}
    print(json.dumps({**line, "load": round(os.getloadavg()[0], 2)}), flush=True)


def fill(database: Database) -> None:
    """Rows of about 150 bytes in several tables, so that all workers of pg_dump have something to do to the end."""
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        for number in range(TABLES):
            connection.execute(
                f"CREATE TABLE users_{number} AS SELECT g AS id, md5(g::text) || '@example.com' AS email,"
                f" repeat(md5((g * 7)::text), 2) AS filler, now() AS created_at FROM generate_series(1, {ROWS // TABLES}) AS g"
            )
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def spent(server: EmbeddedPostgres, work: Callable[[], None]) -> Spent:
    """What it takes, from its beginning to its end."""
    began, cpu = time.perf_counter(), processor_seconds(server)
    work()
    return Spent(seconds=time.perf_counter() - began, cpu=processor_seconds(server) - cpu)


def processor_seconds(server: EmbeddedPostgres) -> float:
    """What we, the server and all children of both that have ended have used so far."""
    postmaster = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    both = (psutil.Process().cpu_times(), psutil.Process(postmaster).cpu_times())
    return float(sum(times.user + times.system + times.children_user + times.children_system for times in both))


def ours(database: Database, folder: Path) -> None:
    """The backup as a run takes it, to its manifest."""
    for _ in dump(DumpOrder(dsn=database.dsn, place=Place(directory=folder), name="b", jobs=JOBS)):
        pass


def bare(database: Database, folder: Path) -> None:
    """What a person would type."""
    program = find_client("pg_dump", None)
    subprocess.run([program, "--format=directory", f"--jobs={JOBS}", f"--file={folder / 'bare'}", database.dsn], check=True)


def main() -> None:
    """Both in turn, now one first and now the other; neighbours are compared, and the median of the pairs counts."""
    with running_server() as server, fresh_database(server) as database:
        fill(database)
        pairs = []
        for number in range(PAIRS):
            pair = {}
            for work in (ours, bare) if number % 2 else (bare, ours):
                with tempfile.TemporaryDirectory(prefix="hg-") as folder:
                    pair[work] = spent(server, partial(work, database, Path(folder)))
            pairs.append((pair[ours], pair[bare]))
        figure(pairs)


if __name__ == "__main__":
    main()
