"""One attempt from wherever the checkpoint stands: a control session, the sentinel, the crew, then sweeps and the proof."""

from collections.abc import Iterator

from app.backfill.aside import try_again
from app.backfill.crew import Crew
from app.backfill.ending import Ending
from app.backfill.faults import BatchFailedError
from app.backfill.figures import finished, planned, result_of
from app.backfill.governor import Governor
from app.backfill.ledger_tables import ensure_ledger
from app.backfill.order import BackfillOrder, BackfillRun
from app.backfill.parts import Parts, read_parts
from app.backfill.prepare import new_shards, prepare
from app.backfill.progress import Progress
from app.backfill.sentinel import Sentinel
from app.backfill.shards import Checkpoints, Job
from app.backfill.telling import Telling
from app.plan.backfills import as_statement
from app.run.events import Event, Gauge, RowRecovered
from app.run.journal import LeaseLostError
from app.target.session import Target

UNDEFINED_TABLE = "42P01"


class Attempt:
    """Drives the backfill of one order; its ``run`` may end with the connection, and another attempt goes on."""

    def __init__(self, order: BackfillOrder) -> None:
        self.order = order
        self.definition = order.definition
        self.resumed = False

    def run(self) -> BackfillRun:
        """The whole way, from wherever the checkpoint stands."""
        order = self.order
        with Target.connect(order.dsn, purpose=order.purpose) as target:
            self.target = target
            ensure_ledger(target, order.schema)
            self.points = Checkpoints(target.connection, order.schema, order.job)
            job = self.points.read()
            if job is not None and job.certificate is not None and not (order.tries_aside_again and self.points.quarantined()):
                return result_of(job, self.points.shards(), self.points.quarantined(), resumed=True)
            yield from self._begin(job)
            self.points.claim(epoch=order.epoch, owner=order.purpose)
            yield from self._walk()
            job, shards, aside = self.points.read(), self.points.shards(), self.points.quarantined()
        if job is None:
            raise LeaseLostError("The backfill's checkpoint is gone from the target.")
        result = result_of(job, shards, aside, resumed=self.resumed)
        yield finished(order.step, result)
        return result

    def _begin(self, job: Job | None) -> Iterator[Event | Gauge]:
        """Write the job, or read the one that is there."""
        if job is None:
            prepared = prepare(self.target.connection, self.definition)
            shards = new_shards(self.target.connection, prepared, self.definition.workers)
            self.points.create(
                digest=self.definition.digest(),
                spec=self.definition.as_json(),
                strategies=[strategy.as_json() for strategy in prepared.strategies],
                shards=shards,
                estimated_rows=prepared.matching,
            )
            self.parts = Parts(prepared=prepared)
            yield planned(self.order.step, self.definition, prepared, len(shards))
            return
        self.resumed = True
        self.parts = read_parts(self.target.connection, self.definition, job)

    def _walk(self) -> Iterator[Event | Gauge]:
        """Walk and sweep until nothing is left, then prove it."""
        order = self.order
        sentinel = Sentinel(
            dsn=order.dsn,
            schema=order.schema,
            job=order.job,
            oids=[leaf.oid for leaf in self.parts.prepared.leaves],
            purpose=f"{order.purpose} signals",
            limits=self.definition.limits,
        )
        sentinel.ours = (self.target.pid,)
        sentinel.start()
        try:
            yield from self._rounds(sentinel)
        finally:
            sentinel.stop()

    def _rounds(self, sentinel: Sentinel) -> Iterator[Event | Gauge]:
        telling, ending = self._telling(sentinel), Ending(self.order, self.target, self.points)
        while True:
            yield from self._round(telling)
            yield from self._try_aside_again()
            yield telling.gauge("looking for rows that still match")
            looked = ending.look(self.parts)
            if looked.is_proven:
                break
            if not looked.was_cancelled:
                ending.begin_round(self.parts)
        self.points.certify(ending.proof(self.parts, looked))

    def _round(self, telling: Telling) -> Iterator[Event | Gauge]:
        """Every shard to its end, also those of partitions that came meanwhile."""
        while True:
            telling.crew.prepared = self.parts.prepared
            try:
                for report in telling.crew.work(self.parts.present(self.points.shards())):
                    yield from telling.tell(report)
            except BatchFailedError as error:
                before = self.parts.gone
                self._follow_parts()
                if error.sqlstate != UNDEFINED_TABLE or self.parts.gone == before:
                    raise
                continue
            yield from telling.batches()
            if not self._follow_parts():
                return

    def _follow_parts(self) -> bool:
        """Look which partitions came and went; True where one that came has to be walked."""
        job = self.points.read()
        if job is None:
            raise LeaseLostError("The backfill's checkpoint is gone from the target.")
        self.parts = read_parts(self.target.connection, self.definition, job)
        if not self.parts.new or not self.parts.is_convergent:
            return False
        found = prepare(self.target.connection, self.definition, only={leaf.oid for leaf in self.parts.new})
        strategies = [*job.strategies, *(strategy.as_json() for strategy in found.strategies)]
        shards = new_shards(self.target.connection, found, 1)
        self.points.extend(epoch=self.order.epoch, owner=self.order.purpose, strategies=strategies, shards=shards)
        self._follow_parts()
        return True

    def _try_aside_again(self) -> Iterator[Event | Gauge]:
        """Rows that were set aside may have been mended meanwhile, or what stood in their way may be over."""
        prepared = self.parts.prepared
        for tried in try_again(self.points, self.order.run, prepared, prepared.changes(self.definition)):
            if tried.is_done:
                yield RowRecovered(step=self.order.step, key=tried.key)

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
            prepared=self.parts.prepared,
            governor=governor,
            sentinel=sentinel,
            rest=order.rest,
            workers=self.definition.workers,
            watch=order.watch,
        )
        progress = Progress(
            rows_done=sum(shard.rows_done for shard in shards),
            rows_total=job.estimated_rows if job else None,
            batches=sum(shard.batches for shard in shards),
        )
        return Telling(
            step=order.step,
            action=self.definition.action,
            crew=crew,
            governor=governor,
            progress=progress,
            statement=as_statement(self.definition.as_json()),
        )
