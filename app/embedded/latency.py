"""What the sample shop feels: the latency of its statements over the last seconds, for the pages to show beside a run."""

import json
import math
import threading
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

WINDOW_SECONDS = 10.0
HISTORY_POINTS = 600


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The value below which ``share`` (0 to 1) of the ordered values lie, by nearest rank; None of nothing."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class Latency:
    """Statements of the last ten seconds, and a point a second of the last ten minutes; safe to use from threads."""

    def __init__(self, *, database: str) -> None:
        """``database`` is named in the report."""
        self.database = database
        self._lock = threading.Lock()
        self._statements: deque[tuple[float, float]] = deque()
        self._history: deque[dict[str, Any]] = deque(maxlen=HISTORY_POINTS)
        self._errors = 0
        self._last_error: str | None = None

    def record(self, *, at: float, milliseconds: float) -> None:
        """A statement was answered; ``at`` is monotonic."""
        with self._lock:
            self._statements.append((at, milliseconds))

    def record_error(self, message: str) -> None:
        """The application saw an error."""
        with self._lock:
            self._errors += 1
            self._last_error = message

    def report(self, *, at: float, now: datetime | None = None) -> dict[str, Any]:
        """The figures of the window that ends ``at``; each call adds one point to the history."""
        with self._lock:
            while self._statements and self._statements[0][0] < at - WINDOW_SECONDS:
                self._statements.popleft()
            ordered = sorted(milliseconds for _, milliseconds in self._statements)
            figures = {
                "at": (now or datetime.now(UTC)).isoformat(timespec="milliseconds"),
                "statements_per_second": round(len(ordered) / WINDOW_SECONDS, 1),
                "p50_ms": _rounded(percentile(ordered, 0.50)),
                "p95_ms": _rounded(percentile(ordered, 0.95)),
                "max_ms": _rounded(ordered[-1] if ordered else None),
                "errors": self._errors,
            }
            self._history.append(figures)
            return {
                "database": self.database,
                "window_seconds": WINDOW_SECONDS,
                **figures,
                "last_error": self._last_error,
                "history": list(self._history),
            }


def write_report(report: dict[str, Any], file: Path) -> None:
    """Replace ``file`` in one step, so that a reader never sees half of it."""
    draft = file.with_name(f".{file.name}.draft")
    draft.write_text(json.dumps(report))
    draft.replace(file)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
