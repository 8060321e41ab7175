"""Our second pair of eyes on a target while a statement runs: its queue, its progress, and the hand that cancels it."""

from typing import Any

import psycopg

from app.catalog.activity import (
    ProgressBar,
    Queue,
    StatementProgress,
    as_observer,
    block_tree,
    read_block_edges,
    read_progress,
    read_queue,
)
from app.catalog.live import BlockEdge
from app.run.events import Gauge
from app.steps.politeness import blocker_session
from app.target.session import Target

_SHOWN = 10
_SHOWN_CHARACTERS = 80


class Observer:
    """A session of its own, opened when it is first needed; every call may raise a TargetError or psycopg.Error."""

    def __init__(self, dsn: str) -> None:
        """``dsn`` holds the password; it is not shown."""
        self._dsn = dsn
        self._target: Target | None = None

    def close(self) -> None:
        """End the session; the next call opens another."""
        if self._target is not None:
            self._target.close()
            self._target = None

    def queue(self, pid: int) -> Queue:
        """Whether the backend waits, and who waits for it."""
        return read_queue(self._connection(), pid)

    def look(self, *, step: str, pid: int, statement: str, bar: ProgressBar, queue: Queue) -> Gauge:
        """The latest figures of one statement."""
        progress = read_progress(self._connection(), pid, bar)
        edges = read_block_edges(self._connection()) if queue.is_waiting or queue.victims else []
        return statement_gauge(step=step, pid=pid, statement=statement, progress=progress, edges=edges)

    def cancel(self, pid: int) -> None:
        """Cancel what the backend runs; a role may cancel its own sessions."""
        self._connection().execute("SELECT pg_catalog.pg_cancel_backend(%(pid)s)", {"pid": pid})

    def _connection(self) -> psycopg.Connection[Any]:
        if self._target is None:
            self._target = Target.connect(self._dsn, purpose="observer")
            as_observer(self._target.connection)
        return self._target.connection


def statement_gauge(*, step: str, pid: int, statement: str, progress: StatementProgress | None, edges: list[BlockEdge]) -> Gauge:
    """What is known about a statement as a gauge; where PostgreSQL keeps no count, it says so."""
    tree = block_tree(edges, pid)
    ahead = [edge for edge in edges if edge.waiter_pid == pid]
    return Gauge(
        step=step,
        pid=pid,
        statement=statement,
        fraction=progress.fraction if progress else None,
        eta_seconds=progress.eta_seconds if progress else None,
        phase=_phase(progress, edges, pid),
        source=progress.source if progress else "",
        bytes_done=progress.bytes_done if progress else None,
        bytes_total=progress.bytes_total if progress else None,
        blocked_by=tuple(_blockers(ahead).values()),
        blocker_sessions=tuple(
            blocker_session(edge.blocker_pid, edge.blocker.backend_start, _blockers(ahead)[edge.blocker_pid])
            for edge in ahead[:_SHOWN]
            if edge.blocker is not None and edge.blocker.backend_start is not None and not edge.queued_only
        ),
        blocking=_victims([edge for edge in edges if edge.waiter_pid in tree.victims]),
    )


def _phase(progress: StatementProgress | None, edges: list[BlockEdge], pid: int) -> str:
    if any(edge.waiter_pid == pid for edge in edges):
        return "waits for a lock"
    if progress is None:
        return "runs (PostgreSQL keeps no count of this statement)"
    return progress.doing


def _blockers(edges: list[BlockEdge]) -> dict[int, str]:
    found: dict[int, str] = {}
    for edge in edges[:_SHOWN]:
        session = edge.blocker
        if edge.blocker_pid == 0 or session is None:
            found[edge.blocker_pid] = (
                f"{session.application if session else 'a prepared transaction'} holds a lock on {edge.relation}"
            )
            continue
        held = "is ahead in the queue for" if edge.queued_only else "holds a lock on"
        since = "" if session.transaction_seconds is None else f", in a transaction for {session.transaction_seconds:.0f} s"
        query = f": {' '.join(session.query.split())[:_SHOWN_CHARACTERS]}" if session.query else ""
        who = f"pid {edge.blocker_pid} ({session.application or 'unnamed'}, user {session.user or 'unknown'})"
        found[edge.blocker_pid] = f"{who} {held} {edge.relation}{since}, {session.state}{query}"
    return found


def _victims(edges: list[BlockEdge]) -> tuple[str, ...]:
    found = {}
    for edge in edges[:_SHOWN]:
        waited = "" if edge.wait_seconds is None else f" for {edge.wait_seconds:.1f} s"
        query = f": {' '.join(edge.waiter_query.split())[:_SHOWN_CHARACTERS]}" if edge.waiter_query else ""
        found[edge.waiter_pid] = f"pid {edge.waiter_pid} ({edge.waiter_application or 'unnamed'}) waits{waited}{query}"
    return tuple(found.values())
