"""A backfill to its end, however often the target goes away meanwhile."""

from typing import Any

import psycopg

from app.backfill.attempt import Attempt
from app.backfill.order import BackfillOrder, BackfillRun
from app.run.events import TargetFound, TargetLost
from app.target.errors import ConnectionLostError, TargetError, TargetUnreachableError, from_psycopg

_MEND_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


def run_backfill(order: BackfillOrder) -> BackfillRun:
    """Begin the backfill, or go on where the checkpoint on the target says; returns its figures with the certificate.

    Raises BackfillRefusedError, LeaseLostError, PoisonRowError, NotConvergentError, TargetUnreachableError.
    """
    lost_at: float | None = None
    failures = 0
    while True:
        attempt = Attempt(order).run()
        try:
            while True:
                try:
                    told = next(attempt)
                except StopIteration as end:
                    result: dict[str, Any] = end.value
                    return result
                if lost_at is not None:
                    yield TargetFound(away_seconds=round(order.clock.monotonic() - lost_at, 1))
                    lost_at, failures = None, 0
                yield told
        except (ConnectionLostError, TargetUnreachableError, psycopg.Error) as raised:
            error = from_psycopg(raised) if isinstance(raised, psycopg.Error) else raised
            now = order.clock.monotonic()
            lost_at = now if lost_at is None else lost_at
            if not _may_come_back(error) or now - lost_at > order.patience_seconds:
                if error is raised:
                    raise
                raise error from raised
            rest = _MEND_SECONDS[min(failures, len(_MEND_SECONDS) - 1)]
            failures += 1
            yield TargetLost(message=error.message, retry_in_ms=rest * 1000)
            order.rest(rest)
        finally:
            attempt.close()


def _may_come_back(error: TargetError) -> bool:
    if isinstance(error, TargetUnreachableError):
        return error.kind in {"refused", "timeout", "full", "host"}
    return isinstance(error, ConnectionLostError)
