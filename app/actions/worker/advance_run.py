"""Drives one run for one slice: takes it, checks every gate again, asks the engine, and moves the run by the outcome."""

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.exc import OperationalError

from app.actions.worker.abort import roll_back_aborted
from app.actions.worker.begin_run import begin_run
from app.actions.worker.desk import Desk, target_dsn
from app.actions.worker.finish_run import finish_rollback, verify_run
from app.actions.worker.order import locks_of, make_order
from app.actions.worker.score import score_run
from app.engine.execute import execute
from app.engine.order import (
    Fenced,
    Finished,
    SliceEnded,
    SliceResult,
    StepFailed,
    StopReached,
    TargetAway,
    WaitingGate,
    WaitingTime,
)
from app.errors import HeadgateError
from app.run.events import RunStarted, RunTakenOver, TargetFound, TargetLost
from app.run.journal import LeaseLostError
from app.run.states import TRANSITIONS, Move, RunState
from app.store.claims import Claim, claimed
from app.store.journal import StoredJournal
from app.store.runs import locked, move_run
from app.store.tables.runs import RunStep
from app.store.words import Direction
from app.target.errors import TargetError
from app.target.knocking import connect_unless
from app.target.session import Target as TargetSession

logger = logging.getLogger("headgate.runs")

_FIRST_REST_SECONDS = 1.0
_LONGEST_REST_SECONDS = 30.0
_LEGAL = {(row.source, row.move) for row in TRANSITIONS}


def advance_run(desk: Desk, run_id: int) -> bool:
    """Drive the run for one slice; True where there is more to do at once."""
    with claimed(desk.engine, run_id, owner=desk.owner, lease_seconds=desk.settings.lease_seconds) as claim:
        if claim is None:
            return False
        driver = _Driver(desk=desk, claim=claim)
        try:
            return driver.drive()
        except LeaseLostError as error:
            logger.warning("%s", error.message)
        except OperationalError as error:
            # our own database went away: what the target holds is in its ledger, and the sweep comes back
            logger.warning("Run %s was left for now: %s", run_id, type(error.orig).__name__)
        except HeadgateError as error:
            driver.move(Move.FAIL, reason=error.message)
        except Exception:  # the worker edge: a bug must end the run with a word, not be tried again every two seconds
            logger.exception("Run %s broke", run_id)
            driver.move(Move.FAIL, reason=f"Headgate itself failed; the log of worker {desk.owner} says how.")
        return False


@dataclass(slots=True, kw_only=True)
class _Driver:
    """One claim's work."""

    desk: Desk
    claim: Claim
    journal: StoredJournal = field(init=False)

    def __post_init__(self) -> None:
        self.journal = StoredJournal(
            self.desk.sessions,
            run_id=self.claim.run_id,
            fence=self.claim.fence,
            lease_seconds=self.desk.settings.lease_seconds,
        )

    def drive(self) -> bool:
        state = self.claim.state
        if self.claim.taken_over_from:
            self.journal.record(
                RunTakenOver(worker=self.claim.owner, fence=self.claim.fence, previous_worker=self.claim.taken_over_from)
            )
        if state in {RunState.SCHEDULED, RunState.WAITING_WINDOW}:
            return self._begin()
        if state is RunState.WAITING_TARGET and not self._find_target():
            return False
        if state is RunState.VERIFYING:
            return self._verify()
        return self._work()

    def _begin(self) -> bool:
        go = begin_run(self.desk, self.claim)
        if go.move is None:
            if "wake_at" in go.values:
                self._sleep_until(go.values["wake_at"])
            return False
        if self.move(go.move, reason=go.reason, **go.values) is not RunState.RUNNING:
            return False
        self.journal.record(RunStarted(worker=self.claim.owner, fence=self.claim.fence, server_version=go.server_version))
        return self._work()

    def _work(self) -> bool:
        with self.desk.sessions() as session:
            order = make_order(session, self.desk, self.claim)
        deadline = self.desk.clock.monotonic() + self.desk.settings.slice_seconds
        result = execute(order, self.journal, clock=self.desk.clock, deadline_monotonic=deadline)
        self._keep_results(result)
        if not isinstance(result, SliceEnded | Fenced):
            score_run(self.desk, self.claim.run_id)
        return self._answer(result)

    def _keep_results(self, result: SliceResult) -> None:
        if isinstance(result, Fenced) or not result.results:
            return
        with self.desk.sessions.begin() as session:
            for step_id, kept in result.results.items():
                session.get_one(RunStep, (self.claim.run_id, step_id)).result = dict(kept)

    def _answer(self, result: SliceResult) -> bool:
        """Move the run by what the slice came to; True where the next slice should follow at once."""
        match result:
            case SliceEnded():
                return True
            case Finished():
                return self._finish()
            case WaitingGate():
                self.move(Move.REACH_GATE)
            case WaitingTime(until=until):
                self._sleep_until(until)
            case StopReached(ask=ask):
                self.move(Move.PAUSE if ask == "pause" else Move.CANCEL)
            case StepFailed(step=step, error=error):
                self.move(Move.FAIL, reason=f"Step {step} failed: {error.message}" if step else error.message)
            case TargetAway(error=error):
                self._lose_target(error)
            case Fenced():
                logger.warning("Run %s was taken over while this worker had it.", self.claim.run_id)
        return False

    def _finish(self) -> bool:
        with self.desk.sessions() as session:
            is_rollback = locked(session, self.claim.run_id).direction is Direction.ROLLBACK
        if is_rollback:
            if self.move(Move.ROLL_BACK_DONE) is not None:
                finish_rollback(self.desk, self.claim.run_id)
            return False
        if self.move(Move.FINISH_STEPS) is None:
            return False
        return self._verify()

    def _verify(self) -> bool:
        try:
            verified = verify_run(self.desk, self.claim.run_id, self.journal)
        except TargetError as error:
            self._lose_target(error)
            return False
        if verified.passed:
            self.move(Move.VERIFY, reason=verified.reason, finished_at=self.desk.clock.now())
        else:
            self.move(Move.FAIL, reason=verified.reason)
        return False

    def _sleep_until(self, until: Any) -> None:
        with self.desk.sessions.begin() as session:
            run = locked(session, self.claim.run_id)
            if run.fence == self.claim.fence:
                run.wake_at = until

    def _lose_target(self, error: HeadgateError) -> None:
        rest = timedelta(seconds=_FIRST_REST_SECONDS)
        moved = self.move(
            Move.LOSE_TARGET,
            reason=f"The target does not answer: {error.message}",
            wake_at=self.desk.clock.now() + rest,
        )
        if moved is RunState.WAITING_TARGET:
            self.journal.record(TargetLost(message=error.message, retry_in_ms=_FIRST_REST_SECONDS * 1000))

    def _find_target(self) -> bool:
        """Knock at the target's door; True where it opened."""
        now = self.desk.clock.now()
        with self.desk.sessions() as session:
            run = locked(session, self.claim.run_id)
            dsn = target_dsn(session, self.desk.settings, run.target_id)
            patience_ms = locks_of(session, run).patience_ms
            away_seconds = (now - run.state_since).total_seconds()
        try:
            connect = partial(TargetSession.connect, dsn, purpose=f"run {self.claim.run_id} knocks")
            connect_unless(lambda: self.journal.asked() is not None, connect).close()
        except TargetError as error:
            if away_seconds * 1000 > patience_ms:
                self.move(Move.FAIL, reason=f"The target stayed away for {away_seconds:.0f} s: {error.message}")
                return False
            # the longer it is away, the rarer the knocking: a restart takes seconds, a failover minutes
            rest = min(max(_FIRST_REST_SECONDS, away_seconds / 4), _LONGEST_REST_SECONDS)
            self._sleep_until(now + timedelta(seconds=rest))
            return False
        if self.move(Move.FIND_TARGET) is None:
            return False
        self.journal.record(TargetFound(away_seconds=round(away_seconds, 1)))
        return True

    def move(self, move: Move, *, reason: str | None = None, **values: Any) -> RunState | None:
        """Move the run while it is ours; None where somebody moved it to where this move has no meaning.

        Raises LeaseLostError.
        """
        values.setdefault("wake_at", None)
        with self.desk.sessions.begin() as session:
            run = locked(session, self.claim.run_id)
            if run.fence != self.claim.fence:
                raise LeaseLostError(f"Another worker holds run {self.claim.run_id} now.")
            if (run.state, move) not in _LEGAL:
                return None
            moved = move_run(session, run.id, seen=run.state, move=move, now=self.desk.clock.now(), reason=reason, **values)
            return roll_back_aborted(self.desk, session, run) or moved
