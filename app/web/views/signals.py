"""Figures with the limits at which Headgate slows down or stops, and what the application on the target feels meanwhile."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.store.tables import Target
from app.web.formats import short_count

#: where the demo's application writes what it feels
APPLICATION_FILE = "traffic.json"
#: older figures say nothing of now
_STALE_SECONDS = 15.0
#: a sparkline's scale never ends below this, so that the noise of a quiet series does not look like news
_FLOOR_MS = 20.0
_WIDTH, _HEIGHT, _POINTS = 84, 22, 60
_SHORT_UNIT = 8
_WORST = ("stopping", "slowing", "unknown", "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A figure with the limit at which Headgate slows down or stops."""

    name: str
    value: float | None
    limit: float | None
    unit: str
    #: ok, slowing, stopping, unknown
    state: str
    #: points of a sparkline in a box of 84 by 22, where the past is known
    spark: tuple[tuple[float, float], ...] = ()
    #: what stands where the limit would
    note: str = ""

    @property
    def limit_text(self) -> str:
        """The limit in few words: a long unit stands beside the value already."""
        if self.limit is None:
            return self.note or "no limit set"
        if self.limit == 0:
            return "none is tolerated"
        unit = f" {self.unit}" if len(self.unit) <= _SHORT_UNIT else ""
        return f"limit {short_count(self.limit)}{unit}"

    @property
    def percent(self) -> float:
        """Of the limit, 0 where either is unknown."""
        return 100 * self.value / self.limit if self.value is not None and self.limit else 0.0


def signals_of(gauge: Mapping[str, Any]) -> tuple[Signal, ...]:
    """The signals of a gauge, the worst first."""
    found = [
        Signal(
            name=name[:1].upper() + name[1:].replace("_", " "),
            value=said.get("value"),
            limit=said.get("limit"),
            unit=str(said.get("unit", "")),
            state=str(said.get("state", "unknown")),
        )
        for name, said in dict(gauge.get("signals", {})).items()
    ]
    return tuple(sorted(found, key=lambda signal: _WORST.index(signal.state) if signal.state in _WORST else len(_WORST)))


def application_signal(folder: Path | None, target: Target, now: datetime | None = None) -> Signal | None:
    """What the application on this target feels, where one reports it (the demo's does); None elsewhere."""
    report = _report(folder)
    if report is None or report.get("database") != _database(target.dsn_summary):
        return None
    age = ((now or datetime.now(UTC)) - datetime.fromisoformat(str(report["at"]))).total_seconds()
    is_fresh = age < _STALE_SECONDS
    history = [point.get("p95_ms") or 0.0 for point in report.get("history", ())][-_POINTS:]
    errors = int(report.get("errors") or 0)
    return Signal(
        name="Application p95",
        value=report.get("p95_ms") if is_fresh else None,
        limit=None,
        unit="ms",
        state="ok" if is_fresh else "unknown",
        spark=sparkline(history),
        note=f"{report.get('statements_per_second', 0):g} statements/s, {errors:,} error{'' if errors == 1 else 's'}",
    )


def sparkline(values: Sequence[float], *, floor: float = _FLOOR_MS) -> tuple[tuple[float, float], ...]:
    """Points for a box of 84 by 22, the newest at the right, on a scale that never ends below ``floor``."""
    if len(values) < 2:  # noqa: PLR2004 - a line needs two points
        return ()
    top = max(floor, *values)
    step = _WIDTH / (len(values) - 1)
    return tuple(
        (round(number * step, 1), round(_HEIGHT - 1 - value / top * (_HEIGHT - 2), 1)) for number, value in enumerate(values)
    )


def _report(folder: Path | None) -> Mapping[str, Any] | None:
    if folder is None:
        return None
    try:
        found = json.loads((folder / APPLICATION_FILE).read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "at" in found else None


def _database(summary: str) -> str:
    """The database's name out of ``localhost:5432/shop as app``."""
    return summary.rpartition("/")[2].partition(" as ")[0]
