"""The backfill engine against one UPDATE and against the loop that people write: goals G1 to G12, ratios within one run.

``--rows 2000000`` takes about twenty minutes on two cores; ``--smoke`` (300,000 rows, one repeat) a few. Ratios of a small table
say less: the start, the sentinel and the proof weigh more there.
"""

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psutil
import psycopg
from _backfill_ground import Cost, Ground, Traffic, figure, median, percentile, rest, running_ground

from app.backfill.definition import read_definition
from app.backfill.execute import run_backfill
from app.backfill.order import BackfillOrder
from app.clock import SystemClock
from app.run.events import Gauge

ROOT = Path(__file__).resolve().parents[1]
SMOKE_ROWS, FULL_ROWS = 300_000, 2_000_000
UPDATE = "x of one UPDATE"
MEBIBYTE = 2**20


class Bench:
    """The goals on one server."""

    def __init__(self, ground: Ground, repeats: int, window_seconds: float) -> None:
        """``window_seconds``: a loop that would take for ever is cut off after it."""
        self.ground, self.repeats, self.window = ground, repeats, window_seconds

    def pairs(self, kind: str, *candidates: Callable[[], Cost]) -> list[list[Cost]]:
        """Each candidate ``repeats`` times, interleaved."""
        measured: list[list[Cost]] = [[] for _ in candidates]
        for _ in range(self.repeats):
            for place, candidate in enumerate(candidates):
                measured[place].append(self.ground.measure(kind, candidate))
        return measured

    def speed(self, one: list[Cost], other: list[Cost]) -> float:
        """How many times faster ``other`` is."""
        return median([cost.seconds for cost in one]) / median([cost.seconds for cost in other])

    def g1_g5_g6_g7(self) -> None:
        """Sequential key: speed, WAL, growth, how long rows are locked."""
        one, ours = self.pairs("bigint", self.ground.one_update, self.ground.ours)
        figure("G1 sequential key", self.speed(one, ours), UPDATE, 0.9, "higher")
        figure("G5 WAL", ratio(one, ours, "wal"), UPDATE, 0.7, "lower")
        figure("G6 heap growth", ratio(one, ours, "heap"), UPDATE, 0.25, "lower")
        figure("G6 index growth", ratio(one, ours, "indexes"), UPDATE, 0.1, "lower")
        holds = [seconds * 1000 for cost in ours for seconds in cost.holds]
        figure("G7 rows locked, p95", percentile(holds, 0.95), "ms", 25, "lower")
        figure("G7 rows locked, longest", max(holds), "ms", 100, "lower")
        self.naive(median([cost.seconds for cost in ours]))

    def naive(self, ours: float) -> None:
        """G4: against ids fetched to the client, 1,000 at a time; what is cut off is extrapolated by the square."""
        cases = (
            ("G4 naive loop at its best", 1.4, False, True),
            ("G4 naive loop without synchronized scans", 4.0, False, False),
            ("G4 naive loop with ORDER BY", 50.0, True, True),
        )
        for name, bar, ordered, syncscan in cases:
            limit = self.window if ordered or not syncscan else 600.0

            def loop(ordered: bool = ordered, syncscan: bool = syncscan, limit: float = limit) -> Cost:
                return self.ground.naive(ordered=ordered, syncscan=syncscan, limit_seconds=limit)

            cost = self.ground.measure("bigint", loop)
            whole = cost.seconds * (self.ground.rows / max(cost.rows, 1)) ** 2 if cost.rows < self.ground.rows else cost.seconds
            figure(name, whole / ours, "x as fast", bar, "higher")

    def g2(self) -> None:
        """Keys in random physical order, one and two workers."""
        for kind in ("uuid", "composite"):
            one, alone, two = self.pairs(kind, self.ground.one_update, self.ground.ours, lambda: self.ground.ours(workers=2))
            figure(f"G2 {kind} key", self.speed(one, alone), UPDATE, 1.3, "higher")
            figure(f"G2 {kind} key, two workers", self.speed(one, two), UPDATE, 1.8, "higher")

    def g3(self) -> None:
        """Three secondary indexes that the update does not touch."""
        one, ours = self.pairs("indexed", self.ground.one_update, self.ground.ours)
        figure("G3 three more indexes", self.speed(one, ours), UPDATE, 1.4, "higher")

    def g8_g9(self) -> None:
        """Beside an application with 500 transactions a second."""
        one = self.ground.measure("bigint", self.ground.one_update)
        for name, profile, bar_speed in (("G8 balanced", "balanced", 0.85), ("G9 gentle", "gentle", 0.15)):
            self.ground.reset("bigint")
            calm_seconds = max(3.0, min(10.0, self.window / 3))
            traffic = Traffic(self.ground, 600)
            try:
                rest(1.0)
                began = time.time()
                rest(calm_seconds)
                middle = time.time()
                ours = self.ground.ours(profile=profile)
                ended = time.time()
                rest(0.5)
            finally:
                traffic.stop()
            calm, busy = traffic.between(began, middle), traffic.between(middle, ended)
            allowed = max(1.5 * calm.p99, calm.p99 + 3) if profile == "balanced" else 1.5 * calm.p99
            figure(f"{name}: p99 of the application", busy.p99, f"ms (calm {calm.p99:.2f})", round(allowed, 2), "lower")
            if profile == "balanced":
                figure(f"{name}: longest of the application", busy.longest, "ms", 25, "lower")
            figure(f"{name}: speed", one.seconds / ours.seconds, UPDATE, bar_speed, "higher")

    def g10(self) -> None:
        """Killed again and again: every row is counted once."""
        self.ground.template("counter", 200_000)
        self.ground.reset("counter")
        words = ["backfill", "--dsn", self.ground.dsn(), "--table", "users", "--set", "counter = counter + 1"]
        command = [sys.executable, "-m", "app.cli.main", *words]
        dice, kills, ended = random.Random(11), 0, False  # noqa: S311 (moments of death)
        wanted = 50 if self.repeats > 1 else 10
        while kills < wanted and not ended:
            limit = ["--max-rate", str(400_000 // wanted), "--json"]
            with subprocess.Popen([*command, *limit], cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
                if child.stdout is not None:
                    ended = any("backfill_finished" in child.stdout.readline() for _ in range(dice.randint(1, 2)))
                rest(dice.random() * 0.3)
                child.kill()
                kills += 1
        subprocess.run([*command, "--profile", "fast", "--json"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        with psycopg.connect(self.ground.dsn()) as connection:
            wrong = connection.execute("SELECT count(*) FROM users WHERE counter <> 1").fetchone() or (-1,)
        figure(f"G10 rows not counted exactly once after {kills} kills", float(wrong[0]), "rows", 0, "lower")

    def g11(self) -> None:
        """From asking for a pause to a walk that has stopped; safe points come several times a second."""
        self.ground.reset("bigint")
        order = BackfillOrder(
            dsn=self.ground.dsn(), schema="headgate", run=uuid4(), job=uuid4(), epoch=1, step="bench", purpose="bench",
            definition=read_definition({"table": "users", "set": "role = 'user'", "where": "role IS NULL"}),
            clock=SystemClock(), rest=rest,
        )  # fmt: skip
        running, waits, last = run_backfill(order), [], time.perf_counter()
        for said in running:
            waits.append(time.perf_counter() - last)
            if isinstance(said, Gauge) and len(waits) > 4:  # noqa: PLR2004 (under way)
                break
            last = time.perf_counter()
        began = time.perf_counter()
        running.close()
        figure("G11 pause", max(waits[1:]) + time.perf_counter() - began, "s", 1.0, "lower")

    def g12(self) -> None:
        """Five rows in 200,000 that can't be updated."""
        self.ground.template("counter", 200_000)
        spec = {
            "table": "users",
            "set": "counter = 1 / (CASE WHEN id % 40000 = 7 AND {} THEN 0 ELSE 1 END)",
            "where": "counter = 0",
        }
        clean = self.ground.measure("counter", lambda: self.ground.ours(**{**spec, "set": spec["set"].format("false")}))
        sick = self.ground.measure(
            "counter", lambda: self.ground.ours(**{**spec, "set": spec["set"].format("true")}, max_quarantine=5)
        )
        figure("G12 five rows that fail", sick.seconds / clean.seconds, "x of the clean run", 3.0, "lower")
        figure("G12 rows set aside", 200_000 - sick.rows, "rows", 5, "lower")

    def steadiness(self) -> None:
        """The last tenth of the batches against the first, and the memory of a worker over thousands of batches."""
        me = psutil.Process()
        for kind, strategy in (("bigint", "windows"), ("bigint", "keyset"), ("holes", "keyset")):
            before = me.memory_info().rss
            cost = self.ground.measure(kind, lambda strategy=strategy: self.ground.ours(strategy=strategy, profile="balanced"))
            grown = (me.memory_info().rss - before) / MEBIBYTE
            tenth = max(1, len(cost.holds) // 10)
            # the first batches are still growing towards their size
            first, last = cost.holds[tenth : 2 * tenth], cost.holds[-tenth:]
            name = f"{strategy}{', holes of 99 %' if kind == 'holes' else ''}"
            figure(f"last tenth of the batches, {name}", median(last) / max(median(first), 1e-9), "x of the first", 1.15, "lower")
            figure(f"memory over {len(cost.holds)} batches, {name}", grown, "MiB", 20, "lower")


def g5_checkpoints(rows: int, repeats: int) -> None:
    """G5 with checkpoints during the run: a random key and a small max_wal_size."""
    with running_ground(rows, {"max_wal_size": "200MB", "min_wal_size": "80MB", "checkpoint_timeout": "5min"}) as ground:
        bench = Bench(ground, min(repeats, 2), 60)
        one, ours, keys = bench.pairs("uuid", ground.one_update, ground.ours, lambda: ground.ours(strategy="keyset"))
        figure("G5 WAL, uuid key, checkpoints during the run", ratio(one, ours, "wal"), UPDATE, 0.6, "lower")
        figure("G5 WAL, uuid key, against keyset", ratio(keys, ours, "wal"), "x of keyset", 0.25, "lower")


def ratio(one: list[Cost], other: list[Cost], name: str) -> float:
    """``other`` by ``one`` in a cost."""
    return median([getattr(cost, name) for cost in other]) / max(median([getattr(cost, name) for cost in one]), 1.0)


def main() -> None:
    """Run the goals that were asked for."""
    parser = argparse.ArgumentParser(description="the goals of the backfill engine, one JSON line a figure")
    parser.add_argument("--rows", type=int, default=FULL_ROWS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--smoke", action="store_true", help=f"{SMOKE_ROWS:,} rows, one repeat")
    parser.add_argument("--only", default="", help="names of parts, with commas: " + ", ".join(PARTS))
    args = parser.parse_args()
    rows, repeats = (SMOKE_ROWS, 1) if args.smoke else (args.rows, args.repeats)
    wanted = [part for part in args.only.split(",") if part] or list(PARTS)
    with running_ground(rows) as ground:
        bench = Bench(ground, repeats, 60.0 if rows >= FULL_ROWS else 10.0)
        for part in wanted:
            if PARTS[part] is not None:
                getattr(bench, str(PARTS[part]))()
    if "checkpoints" in wanted:
        g5_checkpoints(rows, repeats)


#: part -> method; None runs on a server of its own
PARTS: dict[str, str | None] = {
    "sequential": "g1_g5_g6_g7",
    "random": "g2",
    "indexes": "g3",
    "traffic": "g8_g9",
    "kills": "g10",
    "pause": "g11",
    "poison": "g12",
    "steady": "steadiness",
    "checkpoints": None,
}

if __name__ == "__main__":
    main()
