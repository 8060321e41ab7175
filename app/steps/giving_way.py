"""When a statement of ours gives way to those who queue behind it, and when it has waited for its locks long enough."""

from dataclasses import dataclass
from typing import Literal

from app.catalog.activity import Queue

#: "queue": others waited behind us for too long; "locks": we waited for too long, all locks of the statement together
Yielding = Literal["queue", "locks"]
#: A session that came a moment ago is no queue yet: so much of the tolerance the first one must have waited.
_NOTICED_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How much a statement may ask of others; 0 means without limit."""

    #: what all sessions behind us may have waited together: one for so long, or ten for a tenth of it
    tolerance_ms: int = 0
    #: so many sessions behind us are too many as soon as the first has waited for a tenth of the tolerance
    sessions: int = 0
    #: how long the statement may wait for its locks, all of them together
    lock_deadline_ms: int = 0


@dataclass(slots=True)
class LockWait:
    """What one statement has waited for locks, added up from look to look: ``lock_timeout`` begins anew with each lock."""

    total_ms: float = 0.0
    _looked_at: float | None = None

    def count(self, queue: Queue, now: float) -> float:
        """Add what it waited since the last look, at the monotonic time ``now`` (seconds); returns the total."""
        if queue.is_waiting:
            this_lock_ms = (queue.waited_seconds or 0.0) * 1000
            since_ms = this_lock_ms if self._looked_at is None else (now - self._looked_at) * 1000
            self.total_ms += min(since_ms, this_lock_ms)
        self._looked_at = now
        return self.total_ms


def yields(queue: Queue, waited_ms: float, manners: Manners) -> Yielding | None:
    """Why the statement must be cancelled now, or None; ``waited_ms`` is what it has waited for locks so far, all together."""
    if _is_too_much(queue, manners):
        return "queue"
    if 0 < manners.lock_deadline_ms < waited_ms and queue.is_waiting:
        return "locks"
    return None


def _is_too_much(queue: Queue, manners: Manners) -> bool:
    if manners.tolerance_ms <= 0 or queue.victims == 0:
        return False
    if queue.queue_seconds * 1000 > manners.tolerance_ms:
        return True
    worst_ms = (queue.worst_wait_seconds or 0.0) * 1000
    return 0 < manners.sessions <= queue.victims and worst_ms > manners.tolerance_ms * _NOTICED_SHARE
