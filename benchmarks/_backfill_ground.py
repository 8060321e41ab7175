"""What the backfill benchmark stands on: a server, tables reset from templates, and what one run costs in time, WAL and space."""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import psycopg

from app.backfill.definition import read_definition
from app.backfill.execute import run_backfill
from app.backfill.order import BackfillOrder
from app.backfill.walker import Committed, Report, Walked, Walker
from app.clock import SystemClock
from app.embedded.postgres import EmbeddedPostgres

SETTINGS = {
    "autovacuum": "off",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "shared_buffers": "1GB",
    "wal_level": "replica",
    "synchronize_seqscans": "on",
}
BODY = "email text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), filler text NOT NULL, role text"
ROWS = "'u' || g || '@example.com', now(), repeat('x', 52), NULL"
KINDS: Mapping[str, tuple[str, str]] = {
    "bigint": (f"id bigint PRIMARY KEY, {BODY}", f"SELECT g, {ROWS}"),
    "uuid": (f"id uuid PRIMARY KEY, {BODY}", f"SELECT gen_random_uuid(), {ROWS}"),
    "composite": (f"tenant_id int, id bigint, {BODY}, PRIMARY KEY (tenant_id, id)", f"SELECT g::bigint * 7919 % 997, g, {ROWS}"),
    "indexed": (f"id bigint PRIMARY KEY, {BODY}", f"SELECT g, {ROWS}"),
    "holes": (f"id bigint PRIMARY KEY, {BODY}", f"SELECT g, {ROWS}"),
    "counter": ("id bigint PRIMARY KEY, counter int NOT NULL DEFAULT 0, filler text", "SELECT g, 0, repeat('x', 80)"),
}
AFTER = {
    "indexed": "CREATE INDEX ON users (email); CREATE INDEX ON users (created_at); CREATE INDEX ON users (filler, id)",
    "holes": "DELETE FROM users WHERE id % 100 <> 0",
}
FILL = {"table": "public.users", "set": "role = 'user'", "where": "role IS NULL"}
ONE_UPDATE = "UPDATE public.users SET role = 'user' WHERE role IS NULL"
SIZES = (
    "SELECT pg_table_size('public.users'), pg_indexes_size('public.users'), pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"
)


@dataclass
class Cost:
    """What one run took."""

    seconds: float
    wal: float = 0.0
    heap: float = 0.0
    indexes: float = 0.0
    #: processor time of the server's session, or sessions, that did it
    cpu: float = 0.0
    holds: list[float] = field(default_factory=list)
    rows: int = 0


@dataclass
class Ground:
    """A server with its templates."""

    server: EmbeddedPostgres
    rows: int

    def dsn(self, database: str = "work") -> str:
        """The database that is worked on."""
        return self.server.dsn(database)

    def template(self, kind: str, rows: int | None = None) -> None:
        """Make the template of a kind once."""
        name = f"t_{kind}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as admin:
            if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                return
            admin.execute(f'CREATE DATABASE "{name}"'.encode())
        columns, select = KINDS[kind]
        with psycopg.connect(self.dsn(name), autocommit=True) as connection:
            connection.execute(f"CREATE TABLE users ({columns})".encode())
            connection.execute(f"INSERT INTO users {select} FROM generate_series(1, {rows or self.rows}) g".encode())
            if kind in AFTER:
                connection.execute(AFTER[kind].encode())
            connection.execute("VACUUM (ANALYZE) users")

    def reset(self, kind: str) -> None:
        """A fresh, warm copy of the template, behind a checkpoint."""
        self.template(kind)
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as admin:
            admin.execute("DROP DATABASE IF EXISTS work WITH (FORCE)")
            admin.execute(f'CREATE DATABASE work TEMPLATE "t_{kind}" STRATEGY FILE_COPY'.encode())
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(
                "SELECT count(*) FROM users WHERE role IS NOT NULL" if kind != "counter" else "SELECT count(*) FROM users"
            )
            connection.execute("CHECKPOINT")

    def measure(self, kind: str, work: Callable[[], Cost]) -> Cost:
        """Reset, run, and look at what it cost."""
        self.reset(kind)
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            before = connection.execute(SIZES).fetchone() or (0, 0, 0)
            cost = work()
            after = connection.execute(SIZES).fetchone() or (0, 0, 0)
        cost.heap, cost.indexes, cost.wal = (float(b - a) for a, b in zip(before, after, strict=True))
        return cost

    def one_update(self) -> Cost:
        """(a) the single statement."""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            started = time.perf_counter()
            rows = connection.execute(ONE_UPDATE).rowcount
            seconds = time.perf_counter() - started
            return Cost(seconds=seconds, cpu=processor_seconds(connection.info.backend_pid), rows=rows)

    def ours(self, **spec: Any) -> Cost:
        """Our backfill, from the first look to the proof."""
        with watched_batches() as watched:
            started = time.perf_counter()
            running = run_backfill(order(self.dsn(), {**FILL, **spec}))
            while True:
                try:
                    next(running)
                except StopIteration as end:
                    seconds, cpu = time.perf_counter() - started, sum(watched.cpu.values())
                    holds, rows = [batch.seconds for batch in watched.batches], end.value["rows_changed"]
                    return Cost(seconds=seconds, cpu=cpu, holds=holds, rows=rows)

    def naive(self, *, ordered: bool, syncscan: bool, limit_seconds: float) -> Cost:
        """(b) the loop of the seed: ids to the client, 1,000 at a time; cut off after ``limit_seconds``."""
        order = " ORDER BY id" if ordered else ""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(f"SET synchronize_seqscans = {'on' if syncscan else 'off'}".encode())
            started, done = time.perf_counter(), 0
            while time.perf_counter() - started < limit_seconds:
                found = connection.execute(f"SELECT id FROM users WHERE role IS NULL{order} LIMIT 1000".encode()).fetchall()
                if not found:
                    break
                ids = [row[0] for row in found]
                done += connection.execute("UPDATE users SET role = 'user' WHERE id = ANY (%s)", (ids,)).rowcount
            return Cost(seconds=time.perf_counter() - started, rows=done)


def rest(seconds: float) -> None:
    """Rest as a worker does."""
    threading.Event().wait(seconds)


def order(dsn: str, spec: Mapping[str, Any], *, job: UUID | None = None, epoch: int = 1) -> BackfillOrder:
    """A backfill as a worker would be asked for it."""
    job = job or uuid4()
    return BackfillOrder(
        dsn=dsn,
        schema="headgate",
        run=job,
        job=job,
        epoch=epoch,
        step="bench",
        purpose="bench",
        definition=read_definition(spec),
        clock=SystemClock(),
        rest=rest,
    )


def processor_seconds(pid: int) -> float:
    """What a process of this machine has used of the processor so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@dataclass
class Watched:
    """Every committed batch with the time the client saw, from sending the statement to the commit's answer."""

    batches: list[Committed] = field(default_factory=list)
    #: by the session's process
    cpu: dict[int, float] = field(default_factory=dict)


@contextmanager
def watched_batches() -> Iterator[Watched]:
    """Look over the shoulder of every walker."""
    seen = Watched()
    step = Walker.step

    def watched(self: Walker, target_seconds: float, *, passes: int | None = None) -> Report:
        report = step(self, target_seconds, passes=passes)
        if isinstance(report, Committed):
            seen.batches.append(report)
        if isinstance(report, Walked) or len(seen.batches) % 50 == 0:
            seen.cpu[self.target.pid] = processor_seconds(self.target.pid)
        return report

    Walker.step = watched  # type: ignore[method-assign]  # the benchmark looks over the worker's shoulder
    try:
        yield seen
    finally:
        Walker.step = step  # type: ignore[method-assign]  # and leaves it as it was


@contextmanager
def running_ground(rows: int, settings: Mapping[str, str] | None = None) -> Iterator[Ground]:
    """A server of our own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hg-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "pg", settings={**SETTINGS, **(settings or {})})
    try:
        server.start()
        yield Ground(server=server, rows=rows)
    finally:
        server.stop(immediate=True)
        shutil.rmtree(folder, ignore_errors=True)
