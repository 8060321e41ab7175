"""One attempt from wherever the checkpoint stands: a control session, the sentinel, the crew, then sweeps and the proof."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from app.backfill.certificate import Remains, certificate, count_remains, fits_one_snapshot
from app.backfill.crew import Crew
from app.backfill.faults import NotConvergentError
from app.backfill.governor import Governor
from app.backfill.ledger_tables import ensure_ledger
from app.backfill.order import BackfillOrder, BackfillRun
from app.backfill.prepare import Prepared, new_shards, prepare, read_tables
from app.backfill.progress import Progress
from app.backfill.sentinel import Sentinel
from app.backfill.shards import Checkpoints, Job, Shard
from app.backfill.strategy import Strategy
from app.backfill.telling import Telling
from app.errors import HeadgateError
from app.run.events import BackfillFinished, BackfillPlanned, Event, Gauge
from app.run.journal import LeaseLostError
from app.target.session import Target

#: Sweeps before we say that the application keeps writing rows that match.
MOST_ROUNDS = 12
#: Looks at the whole table that were cancelled before sweeps alone have to prove the end.
_MOST_CANCELLATIONS = 2


class OtherBackfillError(HeadgateError):
    """The checkpoint on the target belongs to another table, SET list or condition."""

    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What a look for rows that are left came to."""

    remains: Remains | None = None
    is_proven: bool = False
    was_cancelled: bool = False


class Attempt:
    """Drives the backfill of one order; its ``run`` may end with the connection, and another attempt goes on."""

    def __init__(self, order: BackfillOrder) -> None:
        self.order = order
        self.definition = order.definition
        self.resumed = False
        self.cancellations = 0

    def run(self) -> BackfillRun:
        """The whole way, from wherever the checkpoint stands."""
        order = self.order
        with Target.connect(order.dsn, purpose=order.purpose) as target:
            self.target = target
            ensure_ledger(target, order.schema)
            self.points = Checkpoints(target.connection, order.schema, order.job)
            job = self.points.read()
            if job is not None and job.certificate is not None:
                return _result(job, self.points.shards(), resumed=True)
            yield from self._begin(job)
            self.points.claim(epoch=order.epoch, owner=order.purpose)
            yield from self._walk()
            job = self.points.read()
        if job is None:
            raise LeaseLostError("The backfill's checkpoint is gone from the target.")
        result = _result(job, self.points_at_end, resumed=self.resumed)
        yield BackfillFinished(step=order.step, **{name: result[name] for name in _FIGURES})
        return result

    def _begin(self, job: Job | None) -> Iterator[Event | Gauge]:
        """Write the job, or read the one that is there."""
        if job is None:
            self.prepared = prepare(self.target.connection, self.definition)
            shards = new_shards(self.target.connection, self.prepared, self.definition.workers)
            self.points.create(
                digest=self.definition.digest(),
                spec=self.definition.as_json(),
                strategies=[strategy.as_json() for strategy in self.prepared.strategies],
                shards=shards,
                estimated_rows=self.prepared.matching,
            )
            yield _planned(self.order.step, self.prepared, len(shards))
            return
        if job.digest != self.definition.digest():
            raise OtherBackfillError(
                "This backfill was begun with another table, SET list, condition or key.",
                hint="A running backfill keeps its text. Make a new step for the new one.",
            )
        self.resumed = True
        root, leaves = read_tables(self.target.connection, self.definition)
        strategies = tuple(Strategy.from_json(content) for content in job.strategies)
        known = {leaf.qualified: leaf for leaf in leaves}
        missing = [strategy.relation for strategy in strategies if strategy.relation not in known]
        if missing:
            raise OtherBackfillError(f"{', '.join(missing)} was there when the backfill began and is gone now.")
        kept = tuple(known[strategy.relation] for strategy in strategies)
        self.prepared = Prepared(root=root, leaves=kept, strategies=strategies, estimates=())

    def _walk(self) -> Iterator[Event | Gauge]:
        """Walk and sweep until nothing is left, then prove it."""
        order = self.order
        sentinel = Sentinel(
            dsn=order.dsn,
            schema=order.schema,
            job=order.job,
            oids=[leaf.oid for leaf in self.prepared.leaves],
            purpose=f"{order.purpose} signals",
        )
        sentinel.ours = (self.target.pid,)
        sentinel.start()
        try:
            yield from self._rounds(sentinel)
        finally:
            sentinel.stop()

    def _rounds(self, sentinel: Sentinel) -> Iterator[Event | Gauge]:
        telling = self._telling(sentinel)
        while True:
            for report in telling.crew.work(self.points.shards()):
                yield from telling.tell(report)
            yield from telling.batches()
            yield telling.gauge("looking for rows that still match")
            looked = self._look()
            if looked.is_proven:
                break
            if not looked.was_cancelled:
                self._begin_round()
        shards = self.points.shards()
        proof = certificate(
            shards=shards,
            strategies=self.prepared.strategies,
            remains=looked.remains,
            quarantined=len(self.points.quarantined()),
        )
        proof["rows_seen"] = looked.remains.seen if looked.remains else sum(shard.rows_seen for shard in shards)
        self.points.certify(proof)
        self.points_at_end = shards

    def _telling(self, sentinel: Sentinel) -> Telling:
        order, shards, job = self.order, self.points.shards(), self.points.read()
        governor = Governor(self.definition, sentinel, order.speed)
        crew = Crew(
            dsn=order.dsn,
            purpose=order.purpose,
            schema=order.schema,
            run=order.run,
            job=order.job,
            definition=self.definition,
            prepared=self.prepared,
            governor=governor,
            sentinel=sentinel,
            rest=order.rest,
            workers=self.definition.workers,
        )
        progress = Progress(
            rows_done=sum(shard.rows_done for shard in shards),
            rows_total=job.estimated_rows if job else None,
            batches=sum(shard.batches for shard in shards),
        )
        texts = self.definition.expressions
        statement = f"UPDATE {self.prepared.root.qualified} SET {texts.set_text} WHERE {texts.where_text}"  # noqa: S608 (words for people)
        return Telling(step=order.step, crew=crew, governor=governor, progress=progress, statement=statement)

    def _look(self) -> _Looked:
        """What is left, and whether that ends the backfill.

        Raises NotConvergentError where sweeps do not bring it to an end.
        """
        if not all(strategy.convergent for strategy in self.prepared.strategies):
            return _Looked(is_proven=True)
        shards = self.points.shards()
        rounds = max((shard.round for shard in shards), default=0)
        is_calm = rounds > 0 and sum(shard.round_rows for shard in shards) == 0
        aside = len(self.points.quarantined())
        remains, is_proven = None, is_calm
        if self.cancellations <= _MOST_CANCELLATIONS and fits_one_snapshot(self.target.connection, self.prepared.leaves):
            remains = self._remains()
            if remains is None:
                return _Looked(was_cancelled=True)
            is_proven = remains.matching == 0 or (is_calm and remains.matching <= aside)
        if not is_proven and rounds >= MOST_ROUNDS:
            left = f"{remains.matching} rows" if remains else "rows"
            raise NotConvergentError(
                f"After {rounds} sweeps {left} still match: the application keeps writing them.",
                hint="Let the application, or a trigger, fill the column in new and changed rows first; then retry the step.",
            )
        return _Looked(remains=remains, is_proven=is_proven)

    def _remains(self) -> Remains | None:
        """What one look finds; None where somebody cancelled it, which a person may do who wants to stop."""
        self.order.watch(self.target.pid, "SELECT count(*) ... (the last look)")
        try:
            return count_remains(self.target.connection, self.prepared.leaves, self.definition.expressions, self.prepared.alias)
        except psycopg.errors.QueryCanceled:
            self.cancellations += 1
            return None
        finally:
            self.order.watch(None, None)

    def _begin_round(self) -> None:
        """Walk everything again, for rows that others moved or wrote behind our back."""
        shards = self.points.shards()
        by_name = {strategy.relation: strategy for strategy in self.prepared.strategies}
        _, leaves = read_tables(self.target.connection, self.definition)
        pages = {leaf.qualified: leaf.pages for leaf in leaves}
        last = {shard.relation: shard.no for shard in shards}
        for shard in shards:
            hi = shard.hi
            if shard.no == last[shard.relation]:
                hi = pages.get(shard.relation, hi) if by_name[shard.relation].kind == "windows" else None
            if not self.points.begin_round(shard, number=shard.round + 1, hi=hi):
                raise LeaseLostError("Another worker walks this backfill now; this one changed nothing more.")


_FIGURES = ("rows_changed", "rows_scanned", "batches", "seconds", "resumed", "quarantined")


def _result(job: Job, shards: tuple[Shard, ...], *, resumed: bool) -> dict[str, Any]:
    """The figures of a finished job, with its certificate."""
    proof = dict(job.certificate or {})
    ended = job.finished_at or job.began_at
    return {
        "rows_changed": sum(shard.rows_done for shard in shards),
        "rows_scanned": proof.pop("rows_seen", 0),
        "batches": sum(shard.batches for shard in shards),
        "seconds": round((ended - job.began_at).total_seconds(), 3),
        "resumed": resumed,
        "quarantined": proof.get("quarantined", 0),
        "certificate": proof,
    }


def _planned(step: str, prepared: Prepared, shards: int) -> BackfillPlanned:
    kinds = {strategy.kind for strategy in prepared.strategies}
    reasons = tuple(
        dict.fromkeys(reason for strategy in prepared.strategies for reason in (*strategy.reasons, *strategy.warnings))
    )
    return BackfillPlanned(
        step=step,
        table=prepared.root.qualified,
        strategy=" and ".join(sorted(kinds)) or "nothing to walk",
        reasons=reasons,
        passes=max((strategy.passes for strategy in prepared.strategies), default=1),
        shards=shards,
        estimated_rows=prepared.matching,
    )
