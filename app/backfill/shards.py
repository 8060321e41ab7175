"""Checkpoints on the target: one row a shard, changed in the same statement as the batch, guarded by epoch and batch number.

The target is the truth; what Headgate's own database shows is a view of it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from app.run.journal import LeaseLostError

#: Run with the schema's name as ``{schema}``; each statement may run again. fillfactor 10 keeps the checkpoint's updates HOT.
SHARD_DDL = """
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {schema}.backfill (
    job uuid PRIMARY KEY,
    digest text NOT NULL,
    spec jsonb NOT NULL,
    strategies jsonb NOT NULL,
    speed jsonb NOT NULL DEFAULT '{{}}',
    estimated_rows bigint,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    certificate jsonb,
    canary bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS {schema}.shard (
    job uuid NOT NULL,
    no int NOT NULL,
    epoch bigint NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'done')),
    owner text,
    owner_pid int,
    owner_start timestamptz,
    relation text NOT NULL,
    lo jsonb,
    hi jsonb,
    cur jsonb,
    round int NOT NULL DEFAULT 0,
    round_rows bigint NOT NULL DEFAULT 0,
    rows_done bigint NOT NULL DEFAULT 0,
    rows_seen bigint NOT NULL DEFAULT 0,
    batches bigint NOT NULL DEFAULT 0,
    filenode bigint,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (job, no)
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0);
CREATE TABLE IF NOT EXISTS {schema}.quarantine (
    job uuid NOT NULL,
    relation text NOT NULL,
    key jsonb NOT NULL,
    sqlstate text NOT NULL,
    message text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (job, relation, key)
);
"""

CREATE_JOB = """
INSERT INTO {schema}.backfill (job, digest, spec, strategies, estimated_rows)
VALUES (%(job)s, %(digest)s, %(spec)s, %(strategies)s, %(estimated)s)
"""
CREATE_SHARD = """
INSERT INTO {schema}.shard (job, no, relation, lo, hi, filenode, epoch, owner)
VALUES (%(job)s, %(no)s, %(relation)s, %(lo)s, %(hi)s, %(filenode)s, %(epoch)s, %(owner)s)
"""
CLAIM = """
UPDATE {schema}.shard SET epoch = %(epoch)s, owner = %(owner)s, updated_at = clock_timestamp()
 WHERE job = %(job)s AND epoch <= %(epoch)s
"""
END_FORMER_OWNERS = """
SELECT pg_terminate_backend(a.pid)
  FROM {schema}.shard s JOIN pg_catalog.pg_stat_activity a ON a.pid = s.owner_pid AND a.backend_start = s.owner_start
 WHERE s.job = %(job)s AND s.epoch < %(epoch)s AND a.pid <> pg_backend_pid()
"""
TAKE = """
UPDATE {schema}.shard SET owner_pid = pg_backend_pid(),
       owner_start = (SELECT backend_start FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid())
 WHERE job = %(job)s AND no = %(no)s AND epoch = %(epoch)s
"""
FINISH_SHARD = """
UPDATE {schema}.shard SET state = 'done', updated_at = clock_timestamp()
 WHERE job = %(job)s AND no = %(no)s AND epoch = %(epoch)s AND batches = %(batches)s AND state = 'running'
"""
BEGIN_ROUND = """
UPDATE {schema}.shard SET state = 'running', cur = NULL, hi = %(hi)s, round = %(round)s, round_rows = 0, batches = batches + 1,
       updated_at = clock_timestamp()
 WHERE job = %(job)s AND no = %(no)s AND epoch = %(epoch)s AND state = 'done'
"""
CERTIFY = """
UPDATE {schema}.backfill SET finished_at = coalesce(finished_at, clock_timestamp()), certificate = %s WHERE job = %s
"""
JOB = "SELECT job, digest, spec, strategies, speed, estimated_rows, began_at, finished_at, certificate FROM {schema}.backfill"
JOB += " WHERE job = %s"
SHARDS = "SELECT no, epoch, state, relation, lo, hi, cur, round, round_rows, rows_done, rows_seen, batches, filenode, updated_at"
SHARDS += " FROM {schema}.shard WHERE job = %s ORDER BY no"
#: the ``lo`` of the shard of rows that have NULL in their key
NULL_KEY = {"null_key": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One checkpoint as it stands on the target."""

    no: int
    epoch: int
    state: str
    relation: str
    lo: Any
    hi: Any
    cur: Any
    #: 0 for the walk itself, then the number of the sweep
    round: int
    round_rows: int
    rows_done: int
    rows_seen: int
    batches: int
    filenode: int | None
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One backfill as it stands on the target."""

    job: UUID
    digest: str
    spec: Mapping[str, Any]
    strategies: Sequence[Mapping[str, Any]]
    speed: Mapping[str, Any]
    estimated_rows: int | None
    began_at: datetime
    finished_at: datetime | None
    certificate: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShard:
    """A range to be walked: ``lo`` (exclusive for keys) to ``hi`` (inclusive for keys), as JSON."""

    relation: str
    lo: Any
    hi: Any
    filenode: int | None


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The rows of one job in one schema on one connection, which must be in autocommit mode."""

    connection: psycopg.Connection[Any]
    schema: str
    job: UUID

    def _sql(self, text: LiteralString) -> sql.Composed:
        return sql.SQL(text).format(schema=sql.Identifier(self.schema))

    def read(self) -> Job | None:
        """The job, or None where it was never begun."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            query = self._sql(JOB)
            row = cursor.execute(query, (self.job,)).fetchone()
        return None if row is None else Job(**row)

    def shards(self) -> tuple[Shard, ...]:
        """All checkpoints of the job, by number."""
        query = self._sql(SHARDS)
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return tuple(Shard(**row) for row in cursor.execute(query, (self.job,)))

    def shard(self, no: int) -> Shard:
        """One checkpoint."""
        row = next((shard for shard in self.shards() if shard.no == no), None)
        if row is None:
            raise LeaseLostError(f"The checkpoint of backfill {self.job} is gone from the target.")
        return row

    def seconds_since_last_batch(self) -> float | None:
        """By the target's own clock; None where there is no checkpoint."""
        query = "SELECT extract(epoch FROM clock_timestamp() - max(updated_at))::float8 FROM {schema}.shard WHERE job = %s"
        row = self.connection.execute(self._sql(query), (self.job,)).fetchone()
        return None if row is None or row[0] is None else float(row[0])

    def create(
        self,
        *,
        digest: str,
        spec: Mapping[str, Any],
        strategies: Sequence[Mapping[str, Any]],
        shards: Sequence[NewShard],
        estimated_rows: int | None,
    ) -> None:
        """Write the job and its ranges in one transaction; a job that is there already is left as it is."""
        with self.connection.transaction():
            self.connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (str(self.job),))
            if self.read() is not None:
                return
            words = {"job": self.job, "digest": digest, "spec": json.dumps(spec), "strategies": json.dumps(list(strategies))}
            self.connection.execute(self._sql(CREATE_JOB), {**words, "estimated": estimated_rows})
            for no, shard in enumerate(shards):
                self._create_shard(no, shard)

    def extend(self, *, epoch: int, owner: str, strategies: Sequence[Mapping[str, Any]], shards: Sequence[NewShard]) -> None:
        """Add the ranges of partitions that came since the job began.

        Raises LeaseLostError where a newer epoch holds the job.
        """
        with self.connection.transaction():
            self.connection.execute("SET LOCAL synchronous_commit = on")
            known = self.connection.execute(
                self._sql("SELECT no, epoch FROM {schema}.shard WHERE job = %s FOR UPDATE"), (self.job,)
            )
            held = known.fetchall()
            if any(row[1] > epoch for row in held):
                raise LeaseLostError("Another worker walks this backfill now; this one changed nothing more.")
            statement = "UPDATE {schema}.backfill SET strategies = %s WHERE job = %s"
            self.connection.execute(self._sql(statement), (json.dumps(list(strategies)), self.job))
            for no, shard in enumerate(shards, start=max((row[0] for row in held), default=-1) + 1):
                self._create_shard(no, shard, epoch=epoch, owner=owner)

    def _create_shard(self, no: int, shard: NewShard, *, epoch: int = 0, owner: str | None = None) -> None:
        row = {"job": self.job, "no": no, "relation": shard.relation, "filenode": shard.filenode, "epoch": epoch, "owner": owner}
        self.connection.execute(self._sql(CREATE_SHARD), row | {"lo": json.dumps(shard.lo), "hi": json.dumps(shard.hi)})

    def claim(self, *, epoch: int, owner: str) -> None:
        """Raise the epoch of every shard, so that whoever walked before changes nothing more, and end their sessions.

        Raises LeaseLostError where a newer epoch holds them.
        """
        words = {"job": self.job, "epoch": epoch, "owner": owner}
        with self.connection.transaction():
            self.connection.execute("SET LOCAL synchronous_commit = on")
            former = self.connection.execute(self._sql(END_FORMER_OWNERS), words)
            former.fetchall()
            self.connection.execute(self._sql(CLAIM), words)
        held = [shard for shard in self.shards() if shard.epoch != epoch]
        if held:
            raise LeaseLostError(
                f"Another session walks this backfill now (epoch {held[0].epoch}, ours is {epoch}).",
                hint="Nothing was changed by this one. It goes on there.",
            )

    def take(self, shard: Shard) -> None:
        """Note which session walks a shard, for whoever takes over."""
        self.connection.execute(self._sql(TAKE), self._words(shard))

    def finish(self, shard: Shard) -> bool:
        """Mark a shard as walked, durably; False where it is no longer ours."""
        return self._guarded(FINISH_SHARD, self._words(shard))

    def begin_round(self, shard: Shard, *, number: int, hi: Any) -> bool:
        """Walk a shard again from its start, as sweep ``number``; False where it is no longer ours."""
        return self._guarded(BEGIN_ROUND, {**self._words(shard), "hi": json.dumps(hi), "round": number})

    def _guarded(self, text: LiteralString, words: Mapping[str, Any]) -> bool:
        with self.connection.transaction():
            self.connection.execute("SET LOCAL synchronous_commit = on")
            return self.connection.execute(self._sql(text), words).rowcount == 1

    def _words(self, shard: Shard) -> dict[str, Any]:
        return {"job": self.job, "no": shard.no, "epoch": shard.epoch, "batches": shard.batches}

    def certify(self, certificate: Mapping[str, Any]) -> None:
        """Keep the proof of the end beside the job."""
        with self.connection.transaction():
            self.connection.execute("SET LOCAL synchronous_commit = on")
            self.connection.execute(self._sql(CERTIFY), (json.dumps(certificate), self.job))

    def change_state(self, state: str) -> int:
        """Set unfinished shards to ``paused`` or ``running`` from outside; the walk sees it at its next batch."""
        statement = "UPDATE {schema}.shard SET state = %s WHERE job = %s AND state <> 'done' AND state <> %s"
        return self.connection.execute(self._sql(statement), (state, self.job, state)).rowcount

    def change_speed(self, speed: Mapping[str, Any]) -> None:
        """Ask the running walk for another ``profile`` or ``max_rate``; it looks several times a second."""
        statement = "UPDATE {schema}.backfill SET speed = speed || %s::jsonb WHERE job = %s"
        self.connection.execute(self._sql(statement), (json.dumps(dict(speed)), self.job))

    def forget_speed(self) -> None:
        """Let the walk go as fast as its own definition says."""
        statement = "UPDATE {schema}.backfill SET speed = '{{}}' WHERE job = %s AND speed <> '{{}}'"
        self.connection.execute(self._sql(statement), (self.job,))

    def quarantined(self) -> list[dict[str, Any]]:
        """The rows that were set aside: relation, key, sqlstate, message."""
        query = self._sql("SELECT relation, key, sqlstate, message FROM {schema}.quarantine WHERE job = %s ORDER BY at")
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, (self.job,)).fetchall()
