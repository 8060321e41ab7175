"""The workers of a job: one in the caller's own thread, or several in threads with a session and a shard each.

One worker works only while the caller asks for its next report, so that a caller who stops asking has stopped the walk.
"""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from uuid import UUID

from app.backfill.definition import BackfillDefinition
from app.backfill.governor import Governor
from app.backfill.null_walk import NullWalk
from app.backfill.prepare import Prepared
from app.backfill.sentinel import Sentinel
from app.backfill.session import open_walk_session
from app.backfill.shards import NULL_KEY, Checkpoints, Shard
from app.backfill.walker import Committed, Halted, Refused, Report, Walked, Walker
from app.backfill.walks import Ground, KeyWalk, WindowWalk
from app.target.session import Target

#: a caller hears from us at least so often, also while we rest
_TICK_SECONDS = 0.2
#: windows in a group, per worker, where several work: one worker's snapshot would else keep the other's dead rows alive
_WINDOWS_PER_WORKER = 4
_WALKS: Mapping[str, type[WindowWalk] | type[KeyWalk]] = {"windows": WindowWalk, "keyset": KeyWalk}


@dataclass(slots=True, kw_only=True)
class Crew:
    """What its workers share."""

    dsn: str = field(repr=False)
    purpose: str
    schema: str
    run: UUID
    job: UUID
    definition: BackfillDefinition
    prepared: Prepared
    governor: Governor
    sentinel: Sentinel
    #: rests in the caller's thread; ends early when somebody asks to stop
    rest: Callable[[float], None]
    workers: int = 1
    #: told of a statement that may take long, where one worker works
    watch: Callable[[int | None, str | None], None] = lambda _pid, _statement: None
    _pids: set[int] = field(default_factory=set)
    _fractions: dict[int, float | None] = field(default_factory=dict)
    #: how many shards a table is cut into
    _parts: Mapping[str, int] = field(default_factory=dict)

    def work(self, shards: Sequence[Shard]) -> Iterator[Report | None]:
        """Walk shards to their ends; None is a sign of life. Closing the iterator stops the workers after their batch.

        Raises what a worker raised.
        """
        open_shards = [shard for shard in shards if shard.state != "done"]
        self._parts = Counter(shard.relation for shard in shards if shard.lo != NULL_KEY)
        self._fractions = {shard.no: 1.0 if shard.state == "done" else 0.0 for shard in shards}
        count = min(self.workers, len(open_shards))
        yield from self._work_here(open_shards) if count <= 1 else self._work_in_threads(open_shards, count)

    def fraction(self) -> float | None:
        """How much of the pages or keys is behind us, over all shards."""
        known = list(self._fractions.values())
        return None if not known or None in known else sum(part or 0.0 for part in known) / len(known)

    def _work_here(self, shards: Sequence[Shard]) -> Iterator[Report | None]:
        with self._session() as target:
            for shard in shards:
                walker = self._walker(target, shard)
                walker.watch = self.watch
                yield from self._steps(walker, self.rest)

    def _steps(self, walker: Walker, rest: Callable[[float], None]) -> Iterator[Report | None]:
        """One shard to its end, with its rests."""
        while True:
            self.governor.look(monotonic())
            if self.governor.throttle.stopped_by:
                rest(_TICK_SECONDS)
                yield None
                continue
            walker.walk.most_rows = self.governor.most_rows
            report = walker.step(self.governor.throttle.target_seconds, passes=self.governor.passes)
            self._fractions[walker.shard.no] = 1.0 if isinstance(report, Walked) else walker.walk.fraction()
            yield report
            if isinstance(report, Walked):
                return
            left, speed = self._rest_after(report), self.governor.speed
            while left > 0 and self.governor.speed == speed:
                rest(min(left, _TICK_SECONDS))
                left -= _TICK_SECONDS
                if left > 0:
                    self.governor.look(monotonic())
                    yield None

    def _rest_after(self, report: Report) -> float:
        if isinstance(report, Committed):
            return self.governor.rest_after(report.rows, report.seconds, monotonic())
        if isinstance(report, Refused):
            return report.rest_seconds
        return _TICK_SECONDS if isinstance(report, Halted) else 0.0

    def _work_in_threads(self, shards: Sequence[Shard], count: int) -> Iterator[Report | None]:
        waiting: queue.SimpleQueue[Shard] = queue.SimpleQueue()
        for shard in shards:
            waiting.put(shard)
        told: queue.SimpleQueue[Report | BaseException | None] = queue.SimpleQueue()
        stop = threading.Event()
        threads = [
            threading.Thread(target=self._thread, args=(waiting, told, stop), name=f"backfill {number}", daemon=True)
            for number in range(count)
        ]
        for thread in threads:
            thread.start()
        try:
            yield from self._listen(told, threads)
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _listen(
        self, told: "queue.SimpleQueue[Report | BaseException | None]", threads: Sequence[threading.Thread]
    ) -> Iterator[Report | None]:
        ended = 0
        while ended < len(threads):
            try:
                report = told.get(timeout=_TICK_SECONDS)
            except queue.Empty:
                yield None
                continue
            if report is None:
                ended += 1
            elif isinstance(report, BaseException):
                raise report
            else:
                yield report

    def _thread(
        self,
        waiting: "queue.SimpleQueue[Shard]",
        told: "queue.SimpleQueue[Report | BaseException | None]",
        stop: threading.Event,
    ) -> None:
        try:
            with self._session() as target:
                while not stop.is_set():
                    try:
                        shard = waiting.get_nowait()
                    except queue.Empty:
                        break
                    for report in self._steps(self._walker(target, shard), partial(_rest, stop)):
                        if report is not None:
                            told.put(report)
                        if stop.is_set():
                            break
        except BaseException as error:  # noqa: BLE001 (it is raised again in the caller's thread)
            told.put(error)
        finally:
            told.put(None)

    def _session(self) -> Target:
        target = open_walk_session(self.dsn, purpose=self.purpose)
        self._pids.add(target.pid)
        self.sentinel.ours = tuple(self._pids)
        return target

    def _walker(self, target: Target, shard: Shard) -> Walker:
        pairs = zip(self.prepared.strategies, self.prepared.leaves, strict=True)
        strategy, table = next((strategy, leaf) for strategy, leaf in pairs if strategy.relation == shard.relation)
        ground = Ground(
            target=target,
            schema=self.schema,
            definition=self.definition,
            strategy=strategy,
            table=table,
            alias=self.prepared.alias,
            windows_per_group=1 if self.workers == 1 else _WINDOWS_PER_WORKER * self.workers,
            share=1 / max(1, self._parts.get(shard.relation, 1)),
        )
        checkpoints = Checkpoints(target.connection, self.schema, self.job)
        checkpoints.take(shard)
        walk = NullWalk(ground, shard) if shard.lo == NULL_KEY else _WALKS[strategy.kind](ground, shard)
        return Walker(
            target=target,
            checkpoints=checkpoints,
            shard=shard,
            walk=walk,
            run=self.run,
            definition=self.definition,
        )


def _rest(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds)
