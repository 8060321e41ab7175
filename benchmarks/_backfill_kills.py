"""G10 and G11: walkers that are killed, frozen and crashed under; an application that must be nobody's victim; a pause."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from _backfill_figures import figure
from _backfill_ground import FILL, Ground, order, rest

from app.backfill.execute import run_backfill
from app.run.events import Gauge

ROOT = Path(__file__).resolve().parents[1]
ROWS = 200_000
COUNT = {"table": "public.users", "set": "counter = counter + 1", "where": "true"}
CHILD = """
import json, sys
from uuid import UUID
sys.path.insert(0, "benchmarks")
from _backfill_ground import order
from app.backfill.execute import run_backfill
dsn, job, epoch, spec = sys.argv[1:5]
for told in run_backfill(order(dsn, json.loads(spec), job=UUID(job), epoch=int(epoch))):
    print(type(told).__name__, flush=True)
print("done", flush=True)
"""


@contextmanager
def _walker(ground: Ground, job: UUID, epoch: int, rate: int) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-c", CHILD, ground.dsn(), str(job), str(epoch), json.dumps({**COUNT, "max_rate": rate})]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=quiet, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def _hear(child: subprocess.Popen[str], lines: int) -> None:
    if child.stdout is not None:
        for _ in range(lines):
            child.stdout.readline()


def exactly_once(ground: Ground, *, kills: int, freezes: int, crashes: int) -> None:
    """G10: every row is counted once, whatever is done to walkers and server."""
    ground.template("counter", ROWS)
    ground.reset("counter")
    job, dice, epoch = uuid4(), random.Random(11), 0  # noqa: S311 (moments of death)
    rate = ROWS // (2 * (kills + freezes + crashes))
    for _ in range(kills):
        epoch += 1
        with _walker(ground, job, epoch, rate) as child:
            _hear(child, dice.randint(1, 4))
            rest(dice.random() * 0.2)
            child.send_signal(signal.SIGKILL)
    for _ in range(freezes):
        epoch += 2
        with _walker(ground, job, epoch - 1, rate) as frozen:
            _hear(frozen, 3)
            frozen.send_signal(signal.SIGSTOP)
            with _walker(ground, job, epoch, rate) as heir:
                _hear(heir, 3)
                frozen.send_signal(signal.SIGCONT)
                with suppress(subprocess.TimeoutExpired):
                    frozen.wait(timeout=5)
    for _ in range(crashes):
        epoch += 1
        with _walker(ground, job, epoch, rate) as child:
            _hear(child, 4)
            ground.server.stop(immediate=True)
            child.kill()
        ground.server.start()
    for _ in run_backfill(order(ground.dsn(), {**COUNT, "profile": "fast"}, job=job, epoch=epoch + 1)):
        pass
    with psycopg.connect(ground.dsn()) as connection:
        wrong = connection.execute("SELECT count(*) FROM users WHERE counter <> 1").fetchone() or (-1,)
        done = connection.execute("SELECT sum(rows_done) FROM headgate.shard WHERE job = %s", (job,)).fetchone() or (-1,)
    name = f"after {kills} kills, {freezes} freezes with take-over, {crashes} crashes of the server"
    figure(f"G10 rows not counted exactly once {name}", float(wrong[0]), "rows", 0, "lower")
    figure("G10 rows that the checkpoint counts wrongly", abs(float(done[0]) - ROWS), "rows", 0, "lower")


def deadlock(ground: Ground, times: int = 5) -> None:
    """G11: the application holds a late row and waits for an early one, in the middle of a walk."""
    ground.template("counter", ROWS)
    victims = 0
    for _ in range(times):
        ground.reset("counter")
        walking = threading.Thread(target=_walk, args=(ground.dsn(),))
        with psycopg.connect(ground.dsn()) as application:
            application.execute("UPDATE users SET filler = 'late' WHERE id = 199000")
            walking.start()
            rest(0.5)
            try:
                application.execute("UPDATE users SET filler = 'early' WHERE id <= 100000")
                application.commit()
            except psycopg.errors.DeadlockDetected:
                victims += 1
                application.rollback()
        walking.join()
    figure("G11 the application was the deadlock's victim", victims, f"of {times}", 0, "lower")


def _walk(dsn: str) -> None:
    for _ in run_backfill(order(dsn, {**COUNT, "strategy": "keyset"})):
        pass


def pause(ground: Ground) -> None:
    """G11: from asking for a pause to a walk that has stopped; safe points come several times a second."""
    ground.reset("bigint")
    running, waits, last = run_backfill(order(ground.dsn(), FILL)), [], time.perf_counter()
    for said in running:
        waits.append(time.perf_counter() - last)
        if isinstance(said, Gauge) and len(waits) > 4:  # noqa: PLR2004 (under way)
            break
        last = time.perf_counter()
    began = time.perf_counter()
    running.close()
    figure("G11 pause", max(waits[1:]) + time.perf_counter() - began, "s", 1.0, "lower")
