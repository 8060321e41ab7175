"""What is said of a running backfill, and how often: gauges four times a second, batches once a second, the rest at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic

from app.backfill.crew import Crew
from app.backfill.definition import Action
from app.backfill.governor import Governor
from app.backfill.progress import Progress
from app.backfill.session import LOCK_TIMEOUT_MS
from app.backfill.walker import PATIENT_ATTEMPTS, Committed, Halted, Refused, Report, SetAside
from app.run.events import BackfillSlowed, BackfillSpedUp, BatchCommitted, Event, Gauge, LockNotGranted, RowQuarantined

_GAUGE_SECONDS = 0.25
_BATCH_SECONDS = 1.0
#: a lock that is refused is worth a line when it is refused for the third time
_WORTH_SAYING = PATIENT_ATTEMPTS
_PHASES: dict[Action, str] = {"update": "updating rows", "delete": "deleting rows", "copy": "copying rows"}


@dataclass(slots=True, kw_only=True)
class Telling:
    """Turns reports into events and gauges."""

    step: str
    action: Action
    crew: Crew
    governor: Governor
    progress: Progress
    #: what is done to the rows, for people
    statement: str
    _gauge_at: float = float("-inf")
    _batch_at: float = float("-inf")
    _slowed_by: str = ""
    _halted: bool = False
    _blockers: tuple[str, ...] = ()

    def tell(self, report: Report | None) -> Iterator[Event | Gauge]:
        """What ``report`` is worth saying, with a gauge when one is due."""
        now = monotonic()
        self._halted = isinstance(report, Halted) or (self._halted and report is None)
        if report is not None:
            self._blockers = report.blockers if isinstance(report, Refused) else ()
        if isinstance(report, Committed):
            self.progress.committed(report)
        elif isinstance(report, SetAside):
            yield RowQuarantined(step=self.step, key=report.key, sqlstate=report.sqlstate, message=report.message)
        elif isinstance(report, Refused) and report.attempt >= _WORTH_SAYING:
            yield self._refused(report)
        yield from self._speed()
        if now - self._batch_at >= _BATCH_SECONDS:
            self._batch_at = now
            yield from self.batches()
        if now - self._gauge_at >= _GAUGE_SECONDS:
            if self.governor.throttle.is_slowed and self._gauge_at > 0:
                self.progress.throttled_seconds += now - self._gauge_at
            self._gauge_at = now
            self.progress.measure(now)
            yield self.gauge()

    def batches(self) -> Iterator[BatchCommitted]:
        """The batches that nobody has been told of yet, as one event."""
        progress = self.progress
        if not progress.unsaid_batches:
            return
        yield BatchCommitted(
            step=self.step,
            batches=progress.unsaid_batches,
            rows_changed=progress.unsaid_rows,
            batch_rows=progress.last_rows,
            batch_ms=round(progress.last_seconds * 1000, 3),
        )
        progress.unsaid_batches = progress.unsaid_rows = 0

    def gauge(self, phase: str = "") -> Gauge:
        """The figures as they are now."""
        progress, fraction = self.progress, self.crew.fraction()
        return Gauge(
            step=self.step,
            fraction=None if fraction is None else round(fraction, 4),
            rows_done=progress.rows_done,
            rows_total=None if progress.rows_total is None else max(progress.rows_total, progress.rows_done),
            rows_per_second=None if progress.rows_per_second is None else round(progress.rows_per_second, 1),
            eta_seconds=progress.eta(fraction),
            phase=phase or self._phase(),
            source="checkpoint",
            statement=self.statement,
            blocked_by=self._blockers,
            signals=self.governor.signals(),
            batch_rows=progress.last_rows,
            batch_ms=round(progress.last_seconds * 1000, 3),
            throttled_seconds=round(progress.throttled_seconds, 1),
        )

    def _phase(self) -> str:
        if self._halted:
            return "paused on the target (the checkpoint's state is paused)"
        if self.governor.throttle.stopped_by:
            return f"waiting: {self.governor.throttle.stopped_by}"
        limiting = self.governor.limiting
        return f"slowed by {limiting.name}" if limiting and self.governor.throttle.is_slowed else _PHASES[self.action]

    def _refused(self, report: Refused) -> LockNotGranted:
        return LockNotGranted(
            step=self.step,
            attempt=report.attempt,
            attempts=0,
            waited_ms=LOCK_TIMEOUT_MS,
            retry_in_ms=round(report.rest_seconds * 1000, 1),
            blockers=report.blockers,
        )

    def _speed(self) -> Iterator[Event]:
        limiting = self.governor.limiting
        if self.governor.throttle.is_slowed and limiting is not None and not self._slowed_by:
            self._slowed_by = limiting.name
            yield BackfillSlowed(
                step=self.step,
                signal=limiting.name,
                value=round(limiting.value, 3),
                limit=limiting.limit or 0.0,
                unit=limiting.unit,
            )
        elif self._slowed_by and not self.governor.throttle.is_slowed:
            self._slowed_by = ""
            yield BackfillSpedUp(step=self.step)
