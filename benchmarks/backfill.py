"""The backfill engine against one UPDATE and against the loop that people write: goals G1 to G12, ratios within one run.

All of it takes about half an hour on two cores. Figures can be named: ``backfill.py G3 G8``; each takes under four minutes alone.
``--smoke`` (300,000 rows, one repeat) is quick and says less: the start, the sentinel and the proof weigh more there.
"""

import argparse
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
from _backfill_figures import UPDATE, Pairs, figure, median, percentile
from _backfill_ground import Cost, Ground, rest, running_ground
from _backfill_kills import deadlock, exactly_once, pause
from _backfill_traffic import Latencies, Traffic

from app.backfill import walks

SMOKE_ROWS, FULL_ROWS = 300_000, 2_000_000
MEBIBYTE = 2**20
_STEADY_BATCHES = 10_000


class Bench:
    """The goals on one server."""

    def __init__(self, ground: Ground, repeats: int, window_seconds: float) -> None:
        """``window_seconds``: a loop that would take for ever is cut off after it."""
        self.ground, self.repeats, self.window = ground, repeats, window_seconds

    def pairs(self, kind: str, *rivals: Callable[[], Cost]) -> Pairs:
        """One UPDATE and its rivals."""
        return Pairs(self.ground, kind, self.repeats, self.ground.one_update, *rivals)

    def sequential(self) -> None:
        """G1, G5, G6, G7: a sequential key; speed, WAL, growth, how long rows are locked."""
        pairs = self.pairs("bigint", self.ground.ours)
        pairs.speed("G1 sequential key", 1, 0.9)
        figure("G5 WAL", pairs.ratio(1, "wal"), UPDATE, 0.7, "lower")
        figure("G6 heap growth", pairs.ratio(1, "heap"), UPDATE, 0.25, "lower")
        figure("G6 index growth", pairs.ratio(1, "indexes"), UPDATE, 0.1, "lower")
        holds = [seconds * 1000 for cost in pairs.of(1) for seconds in cost.holds]
        figure("G7 rows locked, p95", percentile(holds, 0.95), "ms", 25, "lower")
        figure("G7 rows locked, longest", max(holds), "ms", 100, "lower")

    def random_order(self) -> None:
        """G2: keys in random physical order, one and two workers."""
        for kind in ("uuid", "composite"):
            pairs = self.pairs(kind, self.ground.ours, lambda: self.ground.ours(workers=2))
            pairs.speed(f"G2 {kind} key", 1, 1.3)
            pairs.speed(f"G2 {kind} key, two workers", 2, 1.8)

    def indexed(self) -> None:
        """G3: three secondary indexes that the update does not touch."""
        self.pairs("indexed", self.ground.ours).speed("G3 three more indexes", 1, 1.4)

    def naive(self) -> None:
        """G4: against ids fetched to the client, 1,000 at a time; what is cut off is extrapolated by the square."""
        ours = self.ground.measure("bigint", self.ground.ours).seconds
        cases = (
            ("G4 naive loop at its best", 1.4, False, True),
            ("G4 naive loop without synchronized scans", 4.0, False, False),
            ("G4 naive loop with ORDER BY", 50.0, True, True),
        )
        for name, bar, ordered, syncscan in cases:

            def loop(ordered: bool = ordered, syncscan: bool = syncscan) -> Cost:
                return self.ground.naive(ordered=ordered, syncscan=syncscan, limit_seconds=self.window)

            cost = self.ground.measure("bigint", loop)
            whole = cost.seconds * (self.ground.rows / max(cost.rows, 1)) ** 2 if cost.rows < self.ground.rows else cost.seconds
            figure(name, whole / ours, "x as fast", bar, "higher")

    def balanced(self) -> None:
        """G8: beside an application with 500 transactions a second."""
        one, rounds = self._beside("balanced", calm_seconds=10)
        allowed = median([max(1.5 * calm.p99, calm.p99 + 3) for calm, _, _ in rounds])
        calm = median([calm.p99 for calm, _, _ in rounds])
        figure(
            "G8 balanced: p99 of the application", median([busy.p99 for _, busy, _ in rounds]), "ms", allowed, "lower", calm=calm
        )
        figure("G8 balanced: longest of the application", median([busy.longest for _, busy, _ in rounds]), "ms", 25, "lower")
        figure("G8 balanced: speed", one / median([seconds for _, _, seconds in rounds]), UPDATE, 0.85, "higher")

    def gentle(self) -> None:
        """G9: the same with the gentle profile."""
        one, rounds = self._beside("gentle", calm_seconds=10)
        calm = median([calm.p99 for calm, _, _ in rounds])
        busy = median([busy.p99 for _, busy, _ in rounds])
        figure("G9 gentle: p99 of the application", busy, "ms", round(1.5 * calm, 3), "lower", calm=calm)
        figure("G9 gentle: speed", one / median([seconds for _, _, seconds in rounds]), UPDATE, 0.15, "higher")

    def _beside(self, profile: str, calm_seconds: float) -> tuple[float, list[tuple[Latencies, Latencies, float]]]:
        """Seconds of one UPDATE alone, and per repeat what the application felt before and meanwhile, and our seconds."""
        one = median([self.ground.measure("bigint", self.ground.one_update).seconds for _ in range(min(self.repeats, 2))])
        rounds = []
        for _ in range(self.repeats):
            self.ground.reset("bigint")
            traffic = Traffic(self.ground, 600)
            try:
                rest(1.0)
                began = time.time()
                rest(calm_seconds)
                middle = time.time()
                ours = self.ground.ours(profile=profile)
                ended = time.time()
                rest(0.5)
                rounds.append((traffic.between(began, middle), traffic.between(middle, ended), ours.seconds))
            finally:
                traffic.stop()
        return one, rounds

    def kills(self) -> None:
        """G10: killed, frozen and crashed under, every row is counted once."""
        full = self.repeats > 1
        exactly_once(self.ground, kills=50 if full else 10, freezes=15 if full else 3, crashes=5 if full else 1)

    def control(self) -> None:
        """G11: a pause acts within a second, and the application is nobody's victim."""
        pause(self.ground)
        deadlock(self.ground)

    def poison(self) -> None:
        """G12: five rows in 200,000 that can't be updated."""
        self.ground.template("counter", 200_000)
        spec = {
            "table": "users",
            "set": "counter = 1 / (CASE WHEN id % 40000 = 7 AND {} THEN 0 ELSE 1 END)",
            "where": "counter = 0",
        }
        clean, sick = (
            [self.ground.measure("counter", lambda: self._with_poison(spec, word)) for _ in range(self.repeats)]  # noqa: B023 (called at once)
            for word in ("false", "true")
        )
        slower = median([cost.seconds for cost in sick]) / median([cost.seconds for cost in clean])
        figure("G12 five rows that fail", slower, "x of the clean run", 3.0, "lower")
        figure("G12 rows that were not set aside or not done", abs(5 - (200_000 - sick[0].rows)), "rows", 0, "lower")

    def _with_poison(self, spec: dict[str, str], word: str) -> Cost:
        return self.ground.ours(**{**spec, "set": spec["set"].format(word)}, max_quarantine=5)

    def steady(self) -> None:
        """The last tenth of the batches against the first."""
        for kind, strategy in (("bigint", "windows"), ("bigint", "keyset"), ("holes", "keyset"), ("holes", "windows")):
            with small_batches(200 if kind == "bigint" else 50):
                cost = self.ground.measure(kind, lambda strategy=strategy: self.ground.ours(strategy=strategy))
            tenth = max(1, len(cost.holds) // 10)
            # the first batches are still growing towards their size, and the sweep changes nothing
            first, last = cost.holds[tenth : 2 * tenth], cost.holds[-tenth:]
            name = f"last tenth of the batches, {strategy}{', holes of 99 %' if kind == 'holes' else ''}"
            figure(name, median(last) / max(median(first), 1e-9), "x of the first", 1.15, "lower", batches=len(cost.holds))

    def memory(self) -> None:
        """What a worker grows by over ten thousand batches."""
        me = psutil.Process()
        for strategy in ("windows", "keyset"):
            with small_batches(max(50, self.ground.rows // _STEADY_BATCHES)):
                gc.collect()
                before = me.memory_info().rss
                cost = self.ground.measure("bigint", lambda strategy=strategy: self.ground.ours(strategy=strategy))
                gc.collect()
            grown = (me.memory_info().rss - before) / MEBIBYTE
            figure(f"memory of a worker, {strategy}", grown, "MiB", 20, "lower", batches=len(cost.holds))


@contextmanager
def small_batches(rows: int) -> Iterator[None]:
    """Batches of at most so many rows, so that there are many of them."""
    before, walks.MOST_ROWS = walks.MOST_ROWS, rows
    try:
        yield
    finally:
        walks.MOST_ROWS = before


def checkpoints(rows: int, repeats: int) -> None:
    """G5 with checkpoints during the run: a random key and a small max_wal_size."""
    with running_ground(rows, {"max_wal_size": "200MB", "min_wal_size": "80MB", "checkpoint_timeout": "5min"}) as ground:
        pairs = Pairs(ground, "uuid", min(repeats, 2), ground.one_update, ground.ours, lambda: ground.ours(strategy="keyset"))
        figure("G5 WAL, uuid key, checkpoints during the run", pairs.ratio(1, "wal"), UPDATE, 0.6, "lower")
        figure("G5 WAL, uuid key, against keyset", pairs.ratio(1, "wal", base=2), "x of keyset", 0.25, "lower")


#: figure -> the part that measures it; those of one part come together
FIGURES = {
    "G1": "sequential", "G2": "random_order", "G3": "indexed", "G4": "naive", "G5": "sequential", "G6": "sequential",
    "G7": "sequential", "G8": "balanced", "G9": "gentle", "G10": "kills", "G11": "control", "G12": "poison",
    "tenth": "steady", "memory": "memory", "checkpoints": "checkpoints",
}  # fmt: skip


def main() -> None:
    """Measure the figures that were asked for."""
    parser = argparse.ArgumentParser(description="the goals of the backfill engine, one JSON line a figure")
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"of {', '.join(FIGURES)} (default: all)")
    parser.add_argument("--rows", type=int, default=FULL_ROWS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--smoke", action="store_true", help=f"{SMOKE_ROWS:,} rows, one repeat")
    args = parser.parse_args()
    unknown = [name for name in args.figures if name not in FIGURES]
    if unknown:
        parser.error(f"there is no figure {', '.join(unknown)}; there are: {', '.join(FIGURES)}")
    rows, repeats = (SMOKE_ROWS, 1) if args.smoke else (args.rows, args.repeats)
    parts = list(dict.fromkeys(FIGURES[name] for name in args.figures or FIGURES))
    if "checkpoints" in parts:
        parts.remove("checkpoints")
        checkpoints(rows, repeats)
    if parts:
        with running_ground(rows) as ground:
            bench = Bench(ground, repeats, 60.0 if rows >= FULL_ROWS else 10.0)
            for part in parts:
                getattr(bench, part)()


if __name__ == "__main__":
    main()
