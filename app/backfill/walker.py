"""One worker on one shard: asks its walk for the next batch, sends it, and reads the outcome. Every call does one thing.

Exactly once rests on one comparison: a batch changes rows only where epoch and batch number in the checkpoint are the ones it
knows.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol
from uuid import UUID

import psycopg
from psycopg import sql

from app.backfill.definition import BackfillDefinition
from app.backfill.faults import BatchFailedError, NotConvergentError, PoisonRowError, meaning, sentence
from app.backfill.pace import BatchSize, retry_rest
from app.backfill.session import lengthen_statements
from app.backfill.shards import Checkpoints, Shard
from app.run.journal import LeaseLostError
from app.sql.names import quote_qualified
from app.target.errors import from_psycopg
from app.target.session import Target

#: Appended to the fence of a batch: the ledger's own fence, so that a run that was taken over changes nothing either.
LEDGER_FENCE = """
       AND NOT EXISTS (SELECT 1 FROM {schema}.fence g WHERE g.run = %(run)s AND g.token > %(epoch)s)"""
QUARANTINE = """
INSERT INTO {schema}.quarantine (job, relation, key, sqlstate, message)
VALUES (%(job)s, %(relation)s, %(key)s::jsonb, %(sqlstate)s, %(message)s) ON CONFLICT DO NOTHING
"""
MOVE_ON = """
UPDATE {schema}.shard SET cur = %(after)s::jsonb, batches = batches + 1, updated_at = clock_timestamp()
 WHERE job = %(job)s AND no = %(no)s AND epoch = %(epoch)s AND batches = %(batches)s AND state = 'running'
"""
HOLDERS = """
SELECT DISTINCT format('session %%s (%%s), in its transaction for %%s s', a.pid,
                       coalesce(nullif(a.application_name, ''), 'no name'),
                       round(extract(epoch FROM clock_timestamp() - a.xact_start)))
  FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.granted AND l.locktype = 'relation' AND l.relation = to_regclass(%(relation)s)::oid AND l.pid <> pg_backend_pid()
   AND l.mode <> 'AccessShareLock' AND a.xact_start < clock_timestamp() - interval '0.2 s'
 LIMIT 3
"""
COUNT_ASIDE = "SELECT count(*), count(*) FILTER (WHERE key = %(key)s::jsonb) FROM {schema}.quarantine WHERE job = %(job)s"
_LONGEST_STATEMENT_MS = 60_000
#: Attempts before a held row is left to the sweep, a slow one gets more time, and people are told who is in the way.
PATIENT_ATTEMPTS = 3
#: Attempts that fail for what should be over by then, before the row itself is taken for the cause.
STUBBORN_ATTEMPTS = 5
#: serialization failure, deadlock: a trigger can raise them for ever
_PASSING = {"40001", "40P01"}
CANCELLED = "57014"


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A batch took effect."""

    rows: int
    seen: int
    #: rows that still match although they were updated
    stuck: int
    units: int
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A batch took no effect and is tried again, smaller."""

    sqlstate: str
    message: str
    attempt: int
    rest_seconds: float
    #: one sentence per session that may hold the rows
    blockers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A row was put into quarantine and passed by."""

    key: str
    sqlstate: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted:
    """The checkpoint says `paused`: somebody stopped the walk on the target itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """The shard is at its end, durably."""


Report = Committed | Refused | SetAside | Halted | Walked


class Walk(Protocol):
    """The part that differs between page windows and keys."""

    size: BatchSize
    #: rows that a batch may hold at most, where somebody limited the rate
    most_rows: int | None
    #: leave out rows that others hold, where somebody comes behind us
    skip_locked: bool

    def send(self, words: dict[str, Any], *, passes: int | None) -> Committed | None:
        """Send the next batch with the checkpoint's ``words``; None where the fence let nothing through."""
        ...

    def is_at_end(self) -> bool:
        """True where nothing is left to walk."""
        ...

    def next_row(self) -> tuple[Mapping[str, Any] | None, Any]:
        """The single row that the next batch of one unit is about, and the checkpoint behind it."""
        ...

    def adopt(self, shard: Shard) -> None:
        """Stand where the checkpoint stands."""
        ...

    def learn(self, rows: int, seconds: float, target_seconds: float) -> None:
        """Take in what a committed batch changed and how long it took."""
        ...

    def fraction(self) -> float | None:
        """How much is behind us, 0 to 1."""
        ...


class Walker:
    """Drives a walk along one shard with one session."""

    def __init__(
        self,
        *,
        target: Target,
        checkpoints: Checkpoints,
        shard: Shard,
        walk: Walk,
        run: UUID,
        definition: BackfillDefinition,
    ) -> None:
        self.target = target
        self.checkpoints = checkpoints
        self.shard = shard
        self.walk = walk
        self.attempt = 0
        self._run = run
        self._definition = definition
        #: told of a statement that may take long
        self.watch: Callable[[int | None, str | None], None] = lambda _pid, _statement: None
        self._timeout_ms = 0
        #: True from the moment that a row is taken for the cause until it is found
        self._hunts = False
        self._batches = shard.batches

    def step(self, target_seconds: float, *, passes: int | None = None) -> Report:
        """One batch that should take ``target_seconds``; ``passes`` overrides the strategy's for the next group.

        Raises LeaseLostError, PoisonRowError, NotConvergentError, BatchFailedError, ConnectionLostError.
        """
        if self.walk.is_at_end():
            return self._finish()
        started = perf_counter()
        if self._timeout_ms:
            self.watch(self.target.pid, "a row that takes its time")
        try:
            outcome = self.walk.send(self._words(), passes=passes)
        except psycopg.Error as error:
            return self._after_error(error, perf_counter() - started)
        finally:
            if self._timeout_ms:
                self.watch(None, None)
        if outcome is None:
            return self._after_fence()
        seconds = perf_counter() - started
        self._batches += 1
        self.attempt = 0
        self.walk.skip_locked = False
        if outcome.stuck:
            raise NotConvergentError(
                f"{outcome.stuck} rows still match the condition after they were updated, so the backfill would never end.",
                hint="Write the condition so that the update makes it false, for example by leaving out rows that get NULL "
                "again, or choose `strategy: keyset`, which visits every row once.",
            )
        self.walk.learn(outcome.rows, seconds, target_seconds)
        self.walk.size.took(outcome.units, seconds, target_seconds)
        return Committed(rows=outcome.rows, seen=outcome.seen, stuck=0, units=outcome.units, seconds=seconds)

    def _words(self) -> dict[str, Any]:
        words = {"job": self.checkpoints.job, "no": self.shard.no, "epoch": self.shard.epoch}
        return {**words, "batches": self._batches, "run": self._run}

    def _finish(self) -> Report:
        present = self.checkpoints.shard(self.shard.no)
        if present.epoch != self.shard.epoch or present.batches != self._batches or not self.checkpoints.finish(present):
            return self._after_fence()
        return Walked()

    def _after_fence(self) -> Report:
        """The batch changed nothing: find out why."""
        present = self.checkpoints.shard(self.shard.no)
        if present.epoch != self.shard.epoch:
            raise LeaseLostError("Another worker walks this backfill now; this one changed nothing more.")
        if present.state == "paused":
            return Halted()
        if present.state == "done":
            return Walked()
        if present.batches == self._batches:
            raise LeaseLostError("The run was taken over by another worker; this one changed nothing more.")
        # an earlier batch had committed although its answer was lost
        self._adopt(present)
        return Committed(rows=0, seen=0, stuck=0, units=0)

    def _adopt(self, present: Shard) -> None:
        self.shard, self._batches = present, present.batches
        self.walk.adopt(present)

    def _after_error(self, error: psycopg.Error, seconds: float) -> Report:
        what = meaning(error)
        if what == "again" and not self._is_the_row_s_own(error, seconds):
            return self._try_again(error)
        if what in {"again", "row"}:
            if self.walk.size.units > 1:
                self.walk.size.bisect()
                return Refused(sqlstate=error.sqlstate or "", message=sentence(error), attempt=0, rest_seconds=0.0)
            return self._set_aside(error)
        if what == "lost":
            raise from_psycopg(error) from error
        raise BatchFailedError(sentence(error), sqlstate=error.sqlstate, hint=error.diag.message_hint) from error

    def _is_the_row_s_own(self, error: psycopg.Error, seconds: float) -> bool:
        """True where trying again did not help, so that the row has to be found."""
        if error.sqlstate == CANCELLED:
            # sooner, and somebody cancelled it
            return seconds * 1000 >= _LONGEST_STATEMENT_MS
        self._hunts = self._hunts or self.attempt >= STUBBORN_ATTEMPTS
        return self._hunts and error.sqlstate in _PASSING

    def _try_again(self, error: psycopg.Error) -> Refused:
        self.attempt += 1
        was_least = self.walk.size.units <= self.walk.size.least
        self.walk.size.shrink()
        if error.sqlstate == CANCELLED and was_least and self.attempt >= PATIENT_ATTEMPTS:
            self._timeout_ms = min(_LONGEST_STATEMENT_MS, 2 * (self._timeout_ms or 1000))
            lengthen_statements(self.target, self._timeout_ms)
        rest = retry_rest(self.attempt, random.random())  # noqa: S311 (jitter, not a secret)
        blockers: tuple[str, ...] = ()
        if self.attempt >= PATIENT_ATTEMPTS:
            self.walk.skip_locked = error.sqlstate == "55P03"
            words = {"relation": quote_qualified(self.shard.relation)}
            blockers = tuple(row[0] for row in self.target.connection.execute(HOLDERS, words))
        return Refused(
            sqlstate=error.sqlstate or "", message=sentence(error), attempt=self.attempt, rest_seconds=rest, blockers=blockers
        )

    def _set_aside(self, error: psycopg.Error) -> Report:
        """Put the row that the next batch is about into quarantine and pass it by, in one transaction."""
        key, after = self.walk.next_row()
        if key is None:
            # it was deleted or moved meanwhile, unless it fails on and on
            self.attempt += 1
            if self.attempt >= STUBBORN_ATTEMPTS:
                raise BatchFailedError(sentence(error), sqlstate=error.sqlstate, hint=error.diag.message_hint) from error
            return Refused(sqlstate=error.sqlstate or "", message=sentence(error), attempt=0, rest_seconds=0.05)
        name, told = json.dumps(key), {"sqlstate": error.sqlstate or "", "message": sentence(error)}
        words = {**self._words(), **told, "relation": self.shard.relation, "key": name, "after": json.dumps(after)}
        connection, schema = self.target.connection, sql.Identifier(self.checkpoints.schema)
        with connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = on")
            aside, known = connection.execute(sql.SQL(COUNT_ASIDE).format(schema=schema), words).fetchone() or (0, 0)
            if not known and aside >= self._definition.max_quarantine:
                raise self._poison(name, error, aside)
            connection.execute(sql.SQL(QUARANTINE).format(schema=schema), words)
            if connection.execute(sql.SQL(MOVE_ON).format(schema=schema), words).rowcount != 1:
                raise LeaseLostError("Another worker walks this backfill now; this one changed nothing more.")
        self._hunts = False
        self._adopt(self.checkpoints.shard(self.shard.no))
        if known:
            # a sweep met it again
            return Committed(rows=0, seen=0, stuck=0, units=1)
        return SetAside(key=name, sqlstate=told["sqlstate"], message=told["message"])

    def _poison(self, key: str, error: psycopg.Error, aside: int) -> PoisonRowError:
        so_far = f" {aside} rows were set aside before it, which is the limit." if aside else ""
        return PoisonRowError(
            f"The row {key} of {self.shard.relation} can't be updated: {sentence(error)}.{so_far}",
            sqlstate=error.sqlstate,
            hint="Mend the row and retry the step: it goes on at this row. Or let the step set such rows aside: max_quarantine.",
        )
