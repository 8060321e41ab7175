"""The run engine as real processes: how soon a run goes on after SIGKILL, and what each of a hundred tiny steps costs.

Settings are the product's own: lease, slice, sweep. A takeover counts from the signal to the first thing that the next driver has
committed to the run's history. About three minutes in all.
"""

import json
import os
import signal
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from time import time

from app.embedded.postgres import EmbeddedPostgres
from tests.chaos.processes import Disturbed, begun, kill
from tests.doubles.databases import Database, fresh_database, running_server
from tests.doubles.orders import a_step
from tests.doubles.waiting import until
from tests.journey.theatre import Theatre, play_house

KILLS, STEPS, RUNS, WORKERS = 20, 100, 3, 2
TAKEOVER_SECONDS, TAKEOVER_WORST_SECONDS, STEP_MS = 1.4, 3.0, 40.0
#: a worker that has started sweeps
_SWEEPERS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'headgate sweep'"
_TAKEN_OVER = """
    SELECT extract(epoch FROM at) FROM run_events
     WHERE run_id = %s AND number > %s AND type = 'run_taken_over' ORDER BY number LIMIT 1
"""
_WORKS_AGAIN = "SELECT FROM run_events WHERE run_id = %s AND number > %s AND type = 'batch_committed' LIMIT 1"
_SPAN = """
    SELECT extract(epoch FROM max(event.at) - max(run.created_at))
      FROM run_events AS event JOIN runs AS run ON run.id = event.run_id
     WHERE run.id = %s AND event.type = 'step_finished'
"""


def figure(name: str, value: float, unit: str, bar: float) -> None:
    """Print one figure as a line of the contract; all of these are better when lower."""
    line = {"contract": 1, "bench": "engine", "figure": name, "value": round(value, 2), "unit": unit, "bar": bar}
    print(json.dumps({**line, "better": "lower", "ok": value <= bar}), flush=True)


@contextmanager
def long_run(house: Theatre, target: Database) -> Iterator[Disturbed]:
    """A backfill that goes on for longer than it is disturbed."""
    setup = """
        CREATE TABLE counted (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0);
        INSERT INTO counted (id) SELECT generate_series(1, 200000)
    """
    count = a_step("count", "backfill", undo="SELECT 1", table="public.counted", set="n = n + 1", where="true", max_rate=600)
    run = begun(house, target, setup=setup, plan=(count,))
    run.until_event("batch_committed")
    yield run
    house.press(run.number, "cancel")
    until(run.is_over, seconds=30)


def take_over(run: Disturbed, *, whole_worker: bool) -> float:
    """Seconds from SIGKILL, to the driving process or to all of its worker, until the next driver has said that it took over."""
    until(lambda: run.own(_SWEEPERS)[0][0] == WORKERS, seconds=60)
    holder, number = run.holder(), run.event_number()
    worker = run.worker_of(holder)
    began = time()
    if whole_worker:
        kill(worker)
    else:
        os.kill(holder, signal.SIGKILL)
    taken = float(until(lambda: run.own(_TAKEN_OVER, run.number, number), seconds=60, every=0.01)[0][0])
    until(lambda: run.own(_WORKS_AGAIN, run.number, number), seconds=60)
    return taken - began


def takeovers(house: Theatre, target: Database) -> None:
    """Twenty of each kind on one run."""
    with long_run(house, target) as run:
        for what, whole in (("the driving process", False), ("a whole worker", True)):
            seen = [take_over(run, whole_worker=whole) for _ in range(KILLS)]
            figure(f"takeover after SIGKILL to {what}, median of {KILLS}", statistics.median(seen), "s", TAKEOVER_SECONDS)
            figure(f"takeover after SIGKILL to {what}, worst of {KILLS}", max(seen), "s", TAKEOVER_WORST_SECONDS)


def tiny_steps(house: Theatre, server: EmbeddedPostgres) -> None:
    """A run of a hundred steps that do next to nothing, from the press of the button to its last step; the median run counts."""
    steps = tuple(
        a_step(f"s{n}", sql=f"INSERT INTO tiny VALUES ({n})", undo=f"DELETE FROM tiny WHERE n = {n}") for n in range(STEPS)
    )
    spent = []
    for _ in range(RUNS):
        with fresh_database(server) as target:
            run = begun(house, target, setup="CREATE TABLE tiny (n int)", plan=steps)
            run.end()
            spent.append(float(run.own(_SPAN, run.number)[0][0]) * 1000 / STEPS)
    figure(f"a run of {STEPS} tiny steps, a step", statistics.median(spent), "ms", STEP_MS)


def main() -> None:
    """One stack with two workers and a target's server of its own."""
    with running_server() as server, play_house(workers=WORKERS, shadow_url=server.dsn()) as house:
        tiny_steps(house, server)
        with fresh_database(server) as target:
            takeovers(house, target)


if __name__ == "__main__":
    main()
