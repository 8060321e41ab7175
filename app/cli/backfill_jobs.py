"""Which job on the target a `headgate backfill` command means, and what can be asked of it while another session works on it."""

import json
from dataclasses import replace
from typing import Any, LiteralString
from uuid import NAMESPACE_URL, UUID, uuid5

import psycopg
from psycopg import sql

from app.backfill.definition import BackfillDefinition, ProfileName
from app.backfill.shards import Checkpoints, Job
from app.backfill.table import find_table, read_table
from app.contract import CONTRACT
from app.errors import HeadgateError
from app.target.errors import LockNotGrantedError
from app.target.session import Target

#: a session that was killed lets go of its lock within that; a stopped one never does
_LOCK_SECONDS = 3
#: a checkpoint that did not move for so long belongs to nobody who works
_STALE_SECONDS = 15
_LOCK = "SELECT pg_advisory_lock(hashtextextended(%(job)s, 0))"
_IS_HELD = """
SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_locks
                WHERE locktype = 'advisory' AND granted
                  AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
                  AND (classid::bigint << 32) | objid::bigint = hashtextextended(%(job)s, 0)) AS is_held
"""
_ASIDE: LiteralString = """
SELECT b.job FROM {schema}.backfill b
 WHERE b.digest = %(digest)s AND EXISTS (SELECT 1 FROM {schema}.quarantine q WHERE q.job = b.job)
 ORDER BY b.began_at
"""


class OtherSessionError(HeadgateError):
    """Another session runs this backfill now."""

    status = 409
    exit_code = 1


class NoSuchJobError(HeadgateError):
    """No backfill of this text was begun on the target."""

    status = 404


def qualified(connection: psycopg.Connection[Any], definition: BackfillDefinition) -> BackfillDefinition:
    """The definition with its tables named in full: a job is known by them.

    Raises BackfillRefusedError.
    """

    def full(name: str) -> str:
        return read_table(connection, find_table(connection, name)).qualified

    return replace(definition, table=full(definition.table), into=full(definition.into) if definition.into else None)


def _jobs(target: Target, schema: str, definition: BackfillDefinition) -> list[Job]:
    """The jobs of this text that the command line has begun, the oldest first."""
    found: list[Job] = []
    while True:
        job = Checkpoints(target.connection, schema, _name(definition, len(found) + 1)).read()
        if job is None:
            return found
        found.append(job)


def _name(definition: BackfillDefinition, number: int) -> UUID:
    return uuid5(NAMESPACE_URL, f"headgate backfill {definition.digest()} {number}")


def next_job(target: Target, schema: str, definition: BackfillDefinition, *, again: bool) -> UUID:
    """The job to work on: the unfinished one, or a new one where a finished one may run again."""
    jobs = _jobs(target, schema, definition)
    if not jobs:
        return _name(definition, 1)
    last = jobs[-1]
    may_repeat = again or all(strategy["convergent"] for strategy in last.strategies)
    return _name(definition, len(jobs) + 1) if last.certificate is not None and may_repeat else last.job


def jobs_with_rows_aside(target: Target, schema: str, definition: BackfillDefinition) -> list[UUID]:
    """Jobs of this text that set rows aside, also those that were steps of a plan."""
    statement = sql.SQL(_ASIDE).format(schema=sql.Identifier(schema))
    return [row["job"] for row in target.all(statement, {"digest": definition.digest()})]


def _last(target: Target, schema: str, definition: BackfillDefinition) -> Checkpoints:
    """The checkpoints of the newest job.

    Raises NoSuchJobError.
    """
    jobs = _jobs(target, schema, definition)
    if not jobs:
        raise NoSuchJobError(hint="Write table, condition and values as they were given to the command that began it.")
    return Checkpoints(target.connection, schema, jobs[-1].job)


def be_alone(target: Target, points: Checkpoints) -> None:
    """Hold a lock that dies with us; a holder that does not move any more is taken over by its epoch.

    Raises OtherSessionError.
    """
    try:
        with target.transaction(lock_timeout_ms=_LOCK_SECONDS * 1000):
            target.execute(_LOCK, {"job": str(points.job)})
    except LockNotGrantedError as error:
        age = points.seconds_since_last_batch()
        if age is not None and age < _STALE_SECONDS:
            raise OtherSessionError(
                f"Another session runs this backfill now; its last batch was {age:.1f} s ago.",
                hint="Wait for it, or end it: the same command then goes on where it stopped.",
            ) from error


def pause(target: Target, schema: str, definition: BackfillDefinition) -> int:
    """Let the walk stand still at its next batch; its session stays and waits."""
    return _tell(_last(target, schema, definition).change_state("paused"), "paused")


def resume(target: Target, schema: str, definition: BackfillDefinition) -> int:
    """Let a walk that stands still go on."""
    return _tell(_last(target, schema, definition).change_state("running"), "resumed")


def adjust(
    target: Target, schema: str, definition: BackfillDefinition, *, profile: ProfileName | None, max_rate: float | None
) -> int:
    """Ask a running walk for another speed; it follows within a moment.

    Raises NoSuchJobError, HeadgateError where nothing is asked for.
    """
    wanted = {name: value for name, value in (("profile", profile), ("max_rate", max_rate)) if value is not None}
    if not wanted or (max_rate is not None and max_rate < 0):
        raise HeadgateError("--adjust needs --profile or --max-rate.", hint="--max-rate 0 lifts the limit.")
    _last(target, schema, definition).change_speed(wanted)
    print(json.dumps({"contract": CONTRACT, "adjusted": wanted}))
    return 0


def _tell(shards: int, what: str) -> int:
    print(json.dumps({"contract": CONTRACT, what: shards > 0}))
    return 0 if shards else 1


def show_status(target: Target, schema: str, definition: BackfillDefinition, *, as_json: bool) -> int:
    """Print how far the newest job of this text is.

    Raises NoSuchJobError.
    """
    points = _last(target, schema, definition)
    job, shards = points.read(), points.shards()
    held = target.one(_IS_HELD, {"job": str(points.job)})
    if job is None:
        raise NoSuchJobError
    state = "finished" if job.certificate is not None else "running" if held and held["is_held"] else "stopped"
    if state == "running" and all(shard.state != "running" for shard in shards):
        state = "paused"
    found: dict[str, Any] = {
        "state": state,
        "rows_changed": sum(shard.rows_done for shard in shards),
        "estimated_rows": job.estimated_rows,
        "batches": sum(shard.batches for shard in shards),
        "sweeps": max((shard.round for shard in shards), default=0),
        "began_at": job.began_at.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
        "seconds_since_last_batch": points.seconds_since_last_batch(),
        "set_aside": points.quarantined(),
        "certificate": job.certificate,
    }
    if as_json:
        print(json.dumps({"contract": CONTRACT, "backfill": found}))
    else:
        print("\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in found.items()))
    return 0
