"""The journal in Headgate's own database: each call is one transaction that appends, renews the lease, and rings the live page.

Nothing is written for a driver whose fence is no longer the run's: it gets LeaseLostError and stops.
"""

import json
import threading
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from app.plan.model import Plan
from app.run import events
from app.run.events import Event, Gauge
from app.run.journal import Ask, LeaseLostError
from app.run.states import RunState
from app.store.backups import keep_of_run
from app.store.events import append_events
from app.store.tables.plans import PlanRevision
from app.store.tables.runs import Run

_RENEW = text(
    """
    UPDATE runs SET lease_until = clock_timestamp() + make_interval(secs => :lease_seconds)
    WHERE id = :run_id AND fence = :fence
    RETURNING state
    """
)
_STEP = text(
    """
    UPDATE run_steps
    SET state = :state,
        attempts = attempts + :attempt,
        started_at = CASE WHEN :starts THEN coalesce(started_at, clock_timestamp()) ELSE started_at END,
        finished_at = CASE WHEN :ends THEN clock_timestamp() END,
        error = CAST(:error AS jsonb)
    WHERE run_id = :run_id AND step_id = :step
    """
)
_CURRENT = text("UPDATE runs SET current_step = :step WHERE id = :run_id")
_GAUGE = text(
    """
    INSERT INTO run_gauges (run_id, at, payload) VALUES (:run_id, clock_timestamp(), CAST(:payload AS jsonb))
    ON CONFLICT (run_id) DO UPDATE SET at = excluded.at, payload = excluded.payload
    """
)
_NOTIFY = text("SELECT pg_notify('run_events', CAST(:run_id AS text))")

#: Gauges that come faster than this are dropped: 25 microseconds a watcher and event were measured, people read two a second.
GAUGE_SECONDS = 0.5
_ASKS: dict[RunState, Ask] = {RunState.PAUSING: "pause", RunState.CANCELLING: "cancel"}


class StoredJournal:
    """A run's journal for one driver; safe to use from the driver's thread and its heartbeat's."""

    def __init__(self, sessions: sessionmaker[Session], *, run_id: int, fence: int, lease_seconds: float) -> None:
        """``fence`` is the number that the claim gave."""
        self._sessions = sessions
        self._run_id = run_id
        self._fence = fence
        self._lease_seconds = lease_seconds
        self._lock = threading.Lock()
        self._ask: Ask | None = None
        self._looked_at = 0.0
        self._gauged_at = 0.0

    def record(self, *recorded: Event) -> None:
        """Keep events in order and bring the steps' rows along; Raises LeaseLostError."""
        with self._sessions.begin() as session:
            self._renew(session)
            append_events(session, self._run_id, recorded)
            for event in recorded:
                _project(session, self._run_id, event)

    def gauge(self, gauge: Gauge) -> None:
        """Replace the latest figures, at most twice a second."""
        with self._lock:
            if time.monotonic() - self._gauged_at < GAUGE_SECONDS:
                return
            self._gauged_at = time.monotonic()
        payload = _json({"step": gauge.step, **gauge.payload()})
        with self._sessions.begin() as session:
            session.execute(_GAUGE, {"run_id": self._run_id, "payload": payload})
            session.execute(_NOTIFY, {"run_id": self._run_id})

    def heartbeat(self) -> Ask | None:
        """Renew the lease and say what was asked; Raises LeaseLostError."""
        with self._sessions.begin() as session:
            return self._renew(session)

    def asked(self) -> Ask | None:
        """What was asked, as of the last look; looks again after a quarter of a second."""
        if time.monotonic() - self._looked_at > GAUGE_SECONDS / 2:
            return self.heartbeat()
        return self._ask

    def _renew(self, session: Session) -> Ask | None:
        values = {"run_id": self._run_id, "fence": self._fence, "lease_seconds": self._lease_seconds}
        state = session.execute(_RENEW, values).scalar_one_or_none()
        if state is None:
            raise LeaseLostError(f"Another worker holds run {self._run_id} now (this one had fence {self._fence}).")
        self._ask = _ASKS.get(RunState(state))
        self._looked_at = time.monotonic()
        return self._ask


def _project(session: Session, run_id: int, event: Event) -> None:
    """Bring run_steps along with an event about a step: the page lists steps without folding every event."""
    if isinstance(event, events.BackupFinished):
        run = session.get_one(Run, run_id)
        plan = Plan.from_json(session.get_one(PlanRevision, run.revision_id).document)
        keep_of_run(session, run, plan.step(event.step).spec, event, now=datetime.now(UTC))
    change = _step_change(event)
    if change is None:
        return
    values: dict[str, Any] = {"attempt": 0, "starts": False, "ends": False, "error": None, **change}
    session.execute(_STEP, {"run_id": run_id, "step": getattr(event, "step", None), **values})
    if isinstance(event, events.StepStarted | events.StepNotUndone):
        session.execute(_CURRENT, {"run_id": run_id, "step": event.step})


_STEP_STATES: dict[type[Event], dict[str, Any]] = {
    events.StepStarted: {"state": "running", "attempt": 1, "starts": True},
    events.StepFinished: {"state": "succeeded", "ends": True},
    events.StepFailed: {"state": "failed", "ends": True},
    events.StepSkipped: {"state": "skipped", "ends": True},
    events.StepRolledBack: {"state": "rolled_back", "ends": True},
    # it is skipped with a reason by a person, or not at all
    events.StepNotUndone: {"state": "failed", "ends": True},
    events.GateReached: {"state": "waiting"},
    events.WaitStarted: {"state": "waiting"},
    events.GateOpened: {"state": "running"},
}


def _step_change(event: Event) -> dict[str, Any] | None:
    change = _STEP_STATES.get(type(event))
    if change is None:
        return None
    if isinstance(event, events.StepFailed):
        return {**change, "error": _json(event.payload())}
    if isinstance(event, events.StepNotUndone):
        return {**change, "error": _json({"message": event.reason})}
    return change


def _json(value: object) -> str:
    return json.dumps(value, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)
