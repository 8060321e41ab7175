"""What the web's benchmarks stand on: a real PostgreSQL, 200 plans, a run of 5,000 events, and the web server as a process."""

import http.client
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.clock import SystemClock
from app.embedded.ports import free_port
from app.run.events import BackfillSlowed, BackfillSpedUp, BatchCommitted, LockNotGranted
from app.run.states import RunState
from app.store import sign_ins
from app.store.events import append_events
from app.store.migrate import upgrade
from app.store.tables import Run, RunGauge, RunStep
from tests.doubles.databases import fresh_database, running_server
from tests.doubles.world import KEY, World, a_world

ROOT = Path(__file__).resolve().parents[1]
PLANS, EVENTS = 200, 5000
_READY_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A served application and what is in it."""

    world: World
    port: int
    cookie: str
    run: int
    plan: int


def figure(bench: str, name: str, value: float, bar: float) -> None:
    """Print one figure in milliseconds as a line of the contract; all of these are better when lower."""
    line = {"contract": 1, "bench": bench, "figure": name, "value": round(value, 2), "unit": "ms", "bar": bar}
    print(json.dumps({**line, "better": "lower", "ok": value <= bar}), flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@contextmanager
def ground() -> Iterator[Ground]:
    """Everything in place and warm; gone afterwards."""
    with running_server() as server, fresh_database(server, template="template0") as metadata:
        upgrade(metadata.dsn)
        with a_world(metadata, SystemClock()) as world:
            plan, run = _fill(world)
            with world.sessions.begin() as session:
                person = world.people["operator"].id
                _, token = sign_ins.start(session, person, now=datetime.now(UTC), lasts=timedelta(days=1))
            with _served(metadata.dsn) as port:
                yield Ground(world=world, port=port, cookie=f"headgate={token}", run=run, plan=plan)


def _fill(world: World) -> tuple[int, int]:
    for number in range(PLANS - 1):
        world.imported()
        if number % 3 == 0:
            world.backed_up(world.staging)
    run = world.started()
    world.driven(run, RunState.RUNNING, step="add-note", steps={"add-note": "running"})
    began = datetime.now(UTC) - timedelta(seconds=EVENTS / 2)
    batch = BatchCommitted(step="add-note", batches=3, rows_changed=1500, batch_rows=500, batch_ms=12.0)
    rare = (
        LockNotGranted(step="add-note", attempt=1, attempts=30, waited_ms=2000.0, retry_in_ms=900.0),
        BackfillSlowed(step="add-note", signal="replica lag", value=6.0, limit=5.0, unit="s"),
        BackfillSpedUp(step="add-note"),
    )
    with world.sessions.begin() as session:
        step = session.get_one(RunStep, (run.id, "add-note"))
        step.kind, step.started_at = "backfill", began
        for number in range(EVENTS // 10):
            events = (*([batch] * 9), rare[number % len(rare)])
            append_events(session, run.id, events, at=began + timedelta(seconds=5 * number))
        signals = {
            name: {"value": 1.0, "limit": 5.0, "unit": "s", "state": "ok"} for name in ("replica lag", "oldest transaction")
        }
        payload = {
            "step": "add-note",
            "fraction": 0.5,
            "rows_done": 7,
            "rows_total": 14,
            "rows_per_second": 9.0,
            "signals": signals,
        }
        session.add(RunGauge(run_id=run.id, at=datetime.now(UTC), payload=payload))
        plan = session.get_one(Run, run.id).plan_id
    return plan, run.id


@contextmanager
def _served(dsn: str) -> Iterator[int]:
    port = free_port()
    settings = {"HEADGATE_DATABASE_URL": dsn, "HEADGATE_SECRET_KEYS": KEY, "HEADGATE_PUBLIC_URL": f"http://localhost:{port}"}
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "app.web.asgi:app",
        "--port",
        str(port),
        "--log-level",
        "error",
        "--no-access-log",
        # as in docker-compose.yml: a process a core
        "--workers",
        "2",
    ]
    process = subprocess.Popen([*command, "--timeout-graceful-shutdown", "1"], cwd=ROOT, env=os.environ | settings)
    try:
        deadline = time.monotonic() + _READY_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the web server did not become ready")
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("localhost", port, timeout=2)
        connection.request("GET", "/sign-in")
        return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except OSError:
        return False
