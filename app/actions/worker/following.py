"""A backup or a restore that a worker drives: its row tells how far it is, and is listened to for a wish to cancel."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.exc import OperationalError

from app.actions.worker.desk import Desk, Report
from app.backup.progress import LOOK_SECONDS, Watched
from app.errors import HeadgateError
from app.store.tables.backups import Backup, Restore
from app.store.tables.people import Person
from app.store.words import BackupState, RestoreState

logger = logging.getLogger("headgate.backups")

T = TypeVar("T")
Kind = type[Backup | Restore]
_STATES: dict[Kind, type[BackupState | RestoreState]] = {Backup: BackupState, Restore: RestoreState}


class CancelledError(HeadgateError):
    """A person cancelled it."""

    exit_code = 1


class TakenOverError(HeadgateError):
    """Another worker does this now: this one was cut off for a while."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One worker's attempt at one row; a later attempt has a higher number, and then this one writes nothing any more."""

    desk: Desk
    kind: Kind
    row_id: int
    number: int

    def follow(self, running: Watched[T], report: Report) -> T:
        """Drive the work to its end.

        Raises CancelledError and TakenOverError within a second of the reason; then the work has cleaned up after itself.
        """
        looked = 0.0
        try:
            while True:
                try:
                    progress = next(running)
                except StopIteration as end:
                    result: T = end.value
                    return result
                if time.monotonic() - looked >= LOOK_SECONDS / 2:
                    looked = time.monotonic()
                    # our own database may be away for a moment: that is no reason to begin a long dump again
                    with suppress(OperationalError):
                        self._look(progress.as_json())
                        report(progress.as_json())
        finally:
            running.close()

    @contextmanager
    def ended_true(self) -> Iterator[None]:
        """Whatever way the work ends, the row says so; Raises what made it fail, for the job's own row."""
        try:
            yield
        except TakenOverError:
            logger.warning("%s %s was taken over while this worker had it.", self.kind.__name__, self.row_id)
        except CancelledError:
            self._end("cancelled", None)
        except OperationalError:
            # our own database is away: whoever takes the job next does it again
            raise
        except HeadgateError as error:
            self._end("failed", error.as_json())
            raise
        except Exception:
            said = HeadgateError("Headgate itself failed at this.", hint="The worker's log has the details.")
            self._end("failed", said.as_json())
            raise

    def _look(self, progress: dict[str, Any]) -> None:
        with self.desk.sessions.begin() as session:
            row: Any = session.get_one(self.kind, self.row_id)
            if row.attempt != self.number:
                raise TakenOverError
            if row.state is _STATES[self.kind].CANCELLING:
                raise CancelledError
            row.progress = progress

    def _end(self, state: str, error: dict[str, Any] | None) -> None:
        with self.desk.sessions.begin() as session:
            row: Any = session.get_one(self.kind, self.row_id, with_for_update=True)
            if row.attempt != self.number:
                return
            row.state, row.finished_at, row.progress = _STATES[self.kind](state), self.desk.clock.now(), None
            row.error = error
            if error is None and row.cancelled_by is not None:
                row.error = {"message": f"Cancelled by {session.get_one(Person, row.cancelled_by).name}.", "hint": None}


def begin(desk: Desk, kind: Kind, row_id: int) -> Attempt | None:
    """Mark the row as under way, or None where there is nothing to do any more."""
    with desk.sessions.begin() as session:
        row: Any = session.get_one(kind, row_id, with_for_update=True)
        states = _STATES[kind]
        if row.state not in {states.QUEUED, states.RUNNING, states.CANCELLING}:
            return None
        row.attempt += 1
        row.started_at = desk.clock.now()
        if row.state is states.QUEUED:
            row.state = states.RUNNING
        return Attempt(desk, kind, row_id, int(row.attempt))
