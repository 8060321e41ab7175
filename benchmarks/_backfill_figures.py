"""Figures of the backfill benchmark: pairs that were measured side by side, and their ratios as lines of the contract."""

import json
import os
import statistics
from collections.abc import Callable, Sequence

from _backfill_ground import Cost, Ground

UPDATE = "x of one UPDATE"
#: a pair counts where its single UPDATE took about what the others' took: else a neighbour was at work
_SPREAD = 0.15


def figure(name: str, value: float, unit: str, bar: float, better: str, **more: float) -> None:
    """Print one figure as a line of the contract; ``more`` says how far it is to be trusted."""
    ok = value >= bar if better == "higher" else value <= bar
    line = {"contract": 1, "bench": "backfill", "figure": name, "value": round(value, 3), "unit": unit, "bar": bar}
    rest = {key: round(number, 3) for key, number in more.items()}
    print(json.dumps({**line, "better": better, "ok": ok, "load": round(os.getloadavg()[0], 2), **rest}), flush=True)


def median(values: Sequence[float]) -> float:
    """The median, 0 of nothing."""
    return statistics.median(values) if values else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """A percentile of what was measured, 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class Pairs:
    """A single UPDATE and its rivals, ``repeats`` times, interleaved; repeats that a neighbour disturbed are left out."""

    def __init__(self, ground: Ground, kind: str, repeats: int, *candidates: Callable[[], Cost]) -> None:
        """The first candidate is the one that the others are compared with."""
        self.rounds: list[list[Cost]] = []
        for _ in range(repeats):
            self.rounds.append([ground.measure(kind, candidate) for candidate in candidates])
        seconds = [costs[0].seconds for costs in self.rounds]
        self.spread = (max(seconds) - min(seconds)) / min(seconds)
        middle = median(seconds)
        self.rounds = [costs for costs in self.rounds if abs(costs[0].seconds - middle) <= _SPREAD * middle] or self.rounds

    def of(self, place: int) -> list[Cost]:
        """The costs of one candidate."""
        return [costs[place] for costs in self.rounds]

    def ratio(self, place: int, name: str = "seconds", *, base: int = 0) -> float:
        """A cost of one candidate by that of the one it is compared with."""
        other, one = (
            median([getattr(cost, name) for cost in self.of(place)]),
            median([getattr(cost, name) for cost in self.of(base)]),
        )
        return other / max(one, 1e-9)

    def speed(self, name: str, place: int, bar: float) -> None:
        """Print how many times as fast as the UPDATE a candidate is; ``cpu``: its processor time by that of the UPDATE."""
        trust = {"spread": self.spread, "repeats": len(self.rounds), "cpu": self.ratio(place, "cpu")}
        figure(name, 1 / self.ratio(place), UPDATE, bar, "higher", **trust)
