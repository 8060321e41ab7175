"""The heartbeat: renews the lease while a statement runs for hours, watches it, and cancels it when somebody asks to stop.

It is the only other thread of a run. The promise does not rest on it: a worker whose heartbeat fails is fenced on the target.
"""

import threading
import time
from dataclasses import dataclass, replace
from typing import Self

import psycopg

from app.catalog.activity import ProgressBar
from app.engine.observer import Observer
from app.run.journal import Ask, Journal, LeaseLostError
from app.steps.giving_way import LockWait, Manners, yields
from app.steps.protocol import Interruption, LockPolicy
from app.target.errors import TargetError

#: How often it wakes up; asks are looked for once a second, the lock queue at every waking.
TICK_SECONDS = 0.25
BEAT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Watched:
    pid: int
    statement: str
    manners: Manners
    since: float
    bar: ProgressBar
    wait: LockWait

    @classmethod
    def now(cls, pid: int, statement: str, manners: Manners, wait: LockWait) -> Self:
        return cls(pid, statement, manners, time.monotonic(), ProgressBar(), wait)


class Heartbeat:
    """Beats from ``with`` to its end."""

    def __init__(self, journal: Journal, dsn: str, *, lease_seconds: float) -> None:
        """``lease_seconds``: without a beat for so long, the run counts as lost."""
        self._journal = journal
        self._observer = Observer(dsn)
        self._lease_seconds = lease_seconds
        self._beat_seconds = min(BEAT_SECONDS, lease_seconds / 3)
        self._step, self._policy = "", LockPolicy()
        self._lock = threading.Lock()
        self._watched: _Watched | None = None
        self._interruption: Interruption | None = None
        self._last_wait = LockWait()
        self._lost: LeaseLostError | None = None
        self._ended = threading.Event()
        self._stop_resting = threading.Event()
        self._last_beat = time.monotonic()
        self._next_gauge = 0.0
        self._thread = threading.Thread(target=self._beat_until_ended, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        """Begin to beat."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; the thread is gone when this returns."""
        self._ended.set()
        self._stop_resting.set()
        self._thread.join()
        self._observer.close()

    def begin_step(self, step: str, policy: LockPolicy) -> None:
        """What follows belongs to this step."""
        self._step, self._policy = step, policy

    def watch(self, pid: int | None, statement: str | None, /, *, gives_way: bool = False, lock_deadline_ms: int = 0) -> None:
        """A backend runs a statement now (None: none)."""
        with self._lock:
            if pid is None:
                self._watched = None
                return
            self._interruption = None
            self._last_wait = LockWait()
            manners = Manners(
                tolerance_ms=self._policy.queue_tolerance_ms if gives_way else 0,
                sessions=self._policy.queue_sessions,
                lock_deadline_ms=lock_deadline_ms,
            )
            self._watched = _Watched.now(pid, statement or "", manners, self._last_wait)

    def interrupted(self) -> Interruption | None:
        """Why the last watched statement was cancelled by us."""
        return self._interruption

    def waited_ms(self) -> float:
        """How long the last watched statement waited for locks, as its looks saw it; a wait of less than a tick is none."""
        return self._last_wait.total_ms

    def rest(self, seconds: float) -> None:
        """Wait, or less when somebody asks to stop."""
        if seconds > 0:
            self._stop_resting.wait(seconds)

    def is_unwanted(self) -> bool:
        """True once somebody asks to stop, or holds the run instead."""
        return self._stop_resting.is_set()

    def confirm(self) -> None:
        """Raise LeaseLostError once the run belongs to somebody else."""
        if self._lost is not None:
            raise self._lost

    def _beat_until_ended(self) -> None:
        while not self._ended.wait(TICK_SECONDS):
            if time.monotonic() - self._last_beat >= self._beat_seconds:
                self._beat()
            watched = self._watched
            if watched is not None and time.monotonic() - watched.since >= TICK_SECONDS:
                self._look(watched)

    def _beat(self) -> None:
        try:
            ask = self._journal.heartbeat()
            self._last_beat = time.monotonic()
        except LeaseLostError as lost:
            self._lose(lost)
            return
        except Exception as error:  # noqa: BLE001  # whatever keeps the journal from answering, the lease decides
            if time.monotonic() - self._last_beat >= self._lease_seconds:
                self._lose(LeaseLostError(f"The lease could not be renewed in time ({type(error).__name__})."))
            return
        self._answer(ask)

    def _answer(self, ask: Ask | None) -> None:
        if ask is None:
            if self._lost is None and not self._ended.is_set():
                self._stop_resting.clear()
            return
        self._stop_resting.set()
        self._interrupt(Interruption(reason="ask"))

    def _lose(self, lost: LeaseLostError) -> None:
        self._lost = lost
        self._stop_resting.set()
        self._interrupt(Interruption(reason="lease"))

    def _look(self, watched: _Watched) -> None:
        try:
            queue = self._observer.queue(watched.pid)
            reason = yields(queue, watched.wait.count(queue, time.monotonic()), watched.manners)
            if reason is not None:
                worst_ms = (queue.worst_wait_seconds or 0.0) * 1000
                self._interrupt(
                    Interruption(reason=reason, waiting=queue.victims, held_ms=worst_ms, held_a_lock=not queue.is_waiting),
                    only=watched,
                )
            if time.monotonic() >= self._next_gauge:
                gauge = self._observer.look(
                    step=self._step, pid=watched.pid, statement=watched.statement, bar=watched.bar, queue=queue
                )
                self._next_gauge = time.monotonic() + BEAT_SECONDS
                if self._watched is watched:
                    self._journal.gauge(gauge)
        except (psycopg.Error, TargetError):
            # blind for now: lock_timeout bounds what others wait, and the next look tries again
            self._observer.close()
        except LeaseLostError as lost:
            self._lose(lost)
        except Exception:  # noqa: BLE001  # a journal that can't show figures must not end the watch; its lease is judged by the beat
            self._next_gauge = time.monotonic() + BEAT_SECONDS

    def _interrupt(self, why: Interruption, *, only: _Watched | None = None) -> None:
        """Cancel the watched statement; under the lock, so that no later one is hit."""
        with self._lock:
            watched = self._watched
            if watched is None or (only is not None and watched is not only):
                return
            self._interruption = self._interruption or replace(why, pid=watched.pid)
            try:
                self._observer.cancel(watched.pid)
            except (psycopg.Error, TargetError):
                # tried again with the next beat
                self._observer.close()
