"""Who is in a statement's way right now: sessions that hold what it needs, and snapshots that a concurrent build waits for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.analysis.duration import in_words
from app.catalog.live import Activity, AutovacuumWorker, Session
from app.sql.lock_levels import Mode, conflicts_with, from_pg_locks

#: how long a transaction may be open before others notice, where no lock timeout says it
USUAL_TIMEOUT_MS = 2000.0
_OWN = "headgate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One session that a statement would wait for."""

    #: 0 for a prepared transaction
    pid: int
    application: str
    state: str
    #: how long its transaction has been open
    seconds: float | None
    #: None where it is its snapshot that is waited for
    relation: str | None
    #: the strongest of the modes it holds there that conflict
    held: str | None
    wanted: str
    query: str = ""
    #: an autovacuum that gives way by itself
    gives_way: bool = False
    #: an autovacuum that never does
    prevents_wraparound: bool = False
    #: Headgate's own: the engine waits for it in its order
    is_own: bool = False

    def sentence(self) -> str:
        """``pid 4711 (billing, idle in transaction for 6 min) holds ACCESS SHARE on public.users``."""
        who = self.application or "unnamed"
        since = "" if self.seconds is None else f" for {in_words(self.seconds * 1000)}"
        name = who if self.pid == 0 else f"pid {self.pid} ({who}, {self.state}, open{since})"
        name = f"{name}, open{since}," if self.pid == 0 else name
        return f"{name} keeps an old snapshot" if self.relation is None else f"{name} holds {self.held} on {self.relation}"


def obstacles(wanted: Iterable[tuple[str, str]], activity: Activity, *, needs_snapshots: bool = False) -> tuple[Obstacle, ...]:
    """Everybody who holds a lock that conflicts with one of (relation, mode), the oldest first.

    ``needs_snapshots``: the statement waits for every older snapshot of the database as well (CREATE INDEX CONCURRENTLY).
    """
    found: dict[tuple[int, str | None], Obstacle] = {}
    for relation, mode in wanted:
        conflicts = conflicts_with(mode)
        for session in activity.sessions:
            held = [spelled for name in session.locks.get(relation, ()) if (spelled := from_pg_locks(name)) in conflicts]
            if held:
                found[session.pid, relation] = _holder(session, relation, held[-1], mode)
        for worker in activity.autovacuum:
            if worker.relation == relation and from_pg_locks(worker.lock_mode or "") in conflicts:
                found[worker.pid, relation] = _autovacuum(worker, relation, mode)
    if needs_snapshots:
        for obstacle in _snapshots(activity):
            found.setdefault((obstacle.pid, None), obstacle)
    return tuple(sorted(found.values(), key=lambda each: -(each.seconds or 0.0)))


def _holder(session: Session, relation: str, held: Mode | None, wanted: str) -> Obstacle:
    return Obstacle(
        pid=session.pid,
        application=session.application,
        state=session.state,
        seconds=session.transaction_seconds,
        relation=relation,
        held=held,
        wanted=wanted,
        query=session.query,
        is_own=session.application.startswith(_OWN),
    )


def _autovacuum(worker: AutovacuumWorker, relation: str, wanted: str) -> Obstacle:
    return Obstacle(
        pid=worker.pid,
        application="autovacuum to prevent wraparound" if worker.prevents_wraparound else "autovacuum",
        state=worker.phase or "running",
        seconds=worker.running_seconds,
        relation=relation,
        held=from_pg_locks(worker.lock_mode or ""),
        wanted=wanted,
        gives_way=not worker.prevents_wraparound,
        prevents_wraparound=worker.prevents_wraparound,
    )


def _snapshots(activity: Activity) -> Iterator[Obstacle]:
    for session in activity.sessions:
        if session.keeps_snapshot:
            yield Obstacle(
                pid=session.pid,
                application=session.application,
                state=session.state,
                seconds=session.transaction_seconds,
                relation=None,
                held=None,
                wanted="snapshot",
                query=session.query,
                is_own=session.application.startswith(_OWN),
            )
