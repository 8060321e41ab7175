"""The right to drive a run: an advisory lock that dies with its connection, a lease, and a fence that grows with every taking.

A message delivered twice finds the lock held; a killed worker's lock is free at once; a stopped or cut-off worker keeps its lock
but not its lease, and the one who takes over ends that session first.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import OperationalError, PendingRollbackError

from app.run.states import DRIVEN, RunState

#: First key of the two-key advisory lock; the second is the run's id. Chosen once, never changed.
LOCK_NAMESPACE = 0x48474154  # "HGAT"
JOB_NAMESPACE = 0x48474A42  # "HGJB"

_TRY_LOCK = text("SELECT pg_try_advisory_lock(:namespace, :run_id)")
_UNLOCK = text("SELECT pg_advisory_unlock(:namespace, :run_id)")
# The holder's own connection can't be asked; the server ends it, and waits until it is gone, or its lock would still be held.
# pg_locks and pg_stat_activity are read in one statement, so that a pid given to somebody else meanwhile is left alone.
_END_HOLDER = text(
    """
    SELECT pg_terminate_backend(activity.pid, 2000)
    FROM pg_locks AS held
    JOIN pg_stat_activity AS activity ON activity.pid = held.pid
    WHERE held.locktype = 'advisory' AND held.granted
      AND held.classid = :namespace AND held.objid = :run_id AND held.objsubid = 2
      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
)
_LEASE_RAN_OUT = text(
    "SELECT coalesce(lease_until < clock_timestamp(), false) FROM runs WHERE id = :run_id AND state = ANY(:driven)"
)
_TAKE = text(
    """
    UPDATE runs AS run
    SET fence = run.fence + 1, owner = :owner, lease_until = clock_timestamp() + make_interval(secs => :lease_seconds)
    FROM (SELECT id, owner, lease_until FROM runs WHERE id = :run_id FOR UPDATE) AS before
    WHERE run.id = before.id AND run.state = ANY(:driven)
      AND (run.wake_at IS NULL OR run.wake_at <= clock_timestamp() OR run.state IN ('pausing', 'cancelling'))
    RETURNING run.fence, run.key, run.state, before.owner AS previous_owner, before.lease_until IS NOT NULL AS was_held
    """
)
_LET_GO = text("UPDATE runs SET owner = NULL, lease_until = NULL WHERE id = :run_id AND fence = :fence")
_WITHOUT_DRIVER = text(
    """
    SELECT id FROM runs
    WHERE state = ANY(:driven)
      AND (wake_at IS NULL OR wake_at <= clock_timestamp() OR state IN ('pausing', 'cancelling'))
      AND (
        lease_until IS NULL OR lease_until < clock_timestamp()
        OR NOT EXISTS (
          SELECT FROM pg_locks
          WHERE locktype = 'advisory' AND granted AND classid = :namespace AND objid = runs.id AND objsubid = 2
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        )
      )
    ORDER BY id
    """
)
_TAKE_JOB = text(
    """
    UPDATE jobs SET state = 'running', owner = :owner, attempts = attempts + 1, started_at = clock_timestamp()
    WHERE id = :job_id AND state IN ('queued', 'running')
    RETURNING kind, subject_id
    """
)
_LOST_JOBS = text(
    """
    SELECT id FROM jobs
    WHERE (state = 'queued' AND created_at < clock_timestamp() - interval '1 second')
       OR (state = 'running' AND NOT EXISTS (
             SELECT FROM pg_locks
             WHERE locktype = 'advisory' AND granted AND classid = :namespace AND objid = jobs.id AND objsubid = 2
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           ))
    ORDER BY id
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobClaim:
    """A job in the hands of one worker."""

    kind: str
    subject_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A run in the hands of one driver."""

    run_id: int
    key: UUID
    fence: int
    state: RunState
    owner: str
    #: the driver that was cut off, where this claim took the run over; else ""
    taken_over_from: str


@contextmanager
def claimed(engine: Engine, run_id: int, *, owner: str, lease_seconds: float) -> Iterator[Claim | None]:
    """Hold the run while the block runs, or yield None where another driver holds it or it needs none now.

    One connection is kept open for the advisory lock; whatever kills this process frees it.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not _lock(connection, run_id):
            yield None
            return
        try:
            claim = _take(connection, run_id, owner, lease_seconds)
            yield claim
            if claim is not None:
                _quietly(connection, _LET_GO, {"run_id": run_id, "fence": claim.fence})
        finally:
            _quietly(connection, _UNLOCK, {"namespace": LOCK_NAMESPACE, "run_id": run_id})


def runs_without_driver(connection: Connection) -> list[int]:
    """Ids of runs that have something to do now and nobody who does it: what the sweep wakes."""
    rows = connection.execute(_WITHOUT_DRIVER, {"driven": _driven(), "namespace": LOCK_NAMESPACE})
    return [row.id for row in rows]


@contextmanager
def job_claimed(engine: Engine, job_id: int, *, owner: str) -> Iterator[JobClaim | None]:
    """Hold a job while the block runs, or yield None where somebody else does it or it is done.

    A job has no lease: its lock dies with the worker's connection, and then the job is taken again from its beginning.
    """
    keys = {"namespace": JOB_NAMESPACE, "run_id": job_id}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(_TRY_LOCK, keys).scalar_one():
            yield None
            return
        try:
            row = connection.execute(_TAKE_JOB, {"job_id": job_id, "owner": owner}).one_or_none()
            yield None if row is None else JobClaim(kind=row.kind, subject_id=row.subject_id)
        finally:
            _quietly(connection, _UNLOCK, keys)


def lost_jobs(connection: Connection) -> list[int]:
    """Ids of jobs that nobody does: never heard, or their worker is gone."""
    return [row.id for row in connection.execute(_LOST_JOBS, {"namespace": JOB_NAMESPACE})]


def _quietly(connection: Connection, statement: TextClause, values: dict[str, Any]) -> None:
    """Let go; where the connection was ended meanwhile, by a restart or by who took over, it has let go already."""
    with suppress(OperationalError, PendingRollbackError):
        connection.execute(statement, values)


def _lock(connection: Connection, run_id: int) -> bool:
    keys = {"namespace": LOCK_NAMESPACE, "run_id": run_id}
    if connection.execute(_TRY_LOCK, keys).scalar_one():
        return True
    if not connection.execute(_LEASE_RAN_OUT, {"run_id": run_id, "driven": _driven()}).scalar():
        return False
    connection.execute(_END_HOLDER, keys)
    return bool(connection.execute(_TRY_LOCK, keys).scalar_one())


def _take(connection: Connection, run_id: int, owner: str, lease_seconds: float) -> Claim | None:
    parameters = {"run_id": run_id, "owner": owner, "lease_seconds": lease_seconds, "driven": _driven()}
    row = connection.execute(_TAKE, parameters).one_or_none()
    if row is None:
        return None
    previous = row.previous_owner if row.was_held and row.previous_owner else ""
    return Claim(
        run_id=run_id, key=row.key, fence=row.fence, state=RunState(row.state), owner=owner, taken_over_from=previous or ""
    )


def _driven() -> list[str]:
    return sorted(state.value for state in DRIVEN)
