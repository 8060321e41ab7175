"""What goes on in a target right now: who waits for whom, which sessions matter, how the server is, how far a statement is.

Ask from a connection of its own that went through ``as_observer``: inside a transaction PostgreSQL freezes pg_stat_activity
and the progress views, and a question about a table that our own DDL holds would wait for it. Nothing here asks such a
question.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.catalog.ask import Connection, ask, ask_one
from app.catalog.live import Activity, BlockEdge, Session
from app.catalog.progress import ProgressBar, StatementProgress, read_progress
from app.catalog.vitals import read_autovacuum, read_replicas, read_slots, read_vitals

__all__ = [
    "BlockTree",
    "ProgressBar",
    "Queue",
    "StatementProgress",
    "as_observer",
    "block_tree",
    "read_activity",
    "read_autovacuum",
    "read_block_edges",
    "read_progress",
    "read_queue",
    "read_replicas",
    "read_sessions",
    "read_slots",
    "read_vitals",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTree:
    """Who waits for one backend and for whom it waits, directly or through others; pid 0 is a prepared transaction."""

    #: pid -> steps away
    victims: Mapping[int, int]
    blockers: Mapping[int, int]
    #: those blockers that wait for nobody
    roots: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The lock queue around one backend of ours."""

    is_waiting: bool
    #: None where it does not wait, or began to wait only now
    waited_seconds: float | None
    #: sessions that wait for it, whether it holds the lock or is only ahead of them
    victims: int
    worst_wait_seconds: float | None
    #: the sum of what the victims have waited
    queue_seconds: float


def as_observer(connection: Connection) -> Connection:
    """The connection itself, made fit for watching: no transaction, nothing that takes long, no lock that is waited for.

    Raises ValueError where it is not in autocommit mode: its answers would be frozen.
    """
    if not connection.autocommit:
        raise ValueError("an observer watches in autocommit mode: inside a transaction pg_stat_activity never changes")
    connection.execute("SET statement_timeout = '2s'; SET lock_timeout = '100ms'; SET idle_in_transaction_session_timeout = '5s'")
    return connection


def read_block_edges(connection: Connection) -> list[BlockEdge]:
    """Every pair of backends of which one waits for the other; empty where nobody waits for a lock."""
    rows = ask(connection, "block_edges")
    prepared = ask(connection, "prepared_transactions") if any(row["blocker_pid"] == 0 for row in rows) else []
    return [_edge(row, prepared) for row in rows]


def block_tree(edges: Iterable[BlockEdge], pid: int) -> BlockTree:
    """The edges walked from one backend in both directions."""
    waiting_for: dict[int, list[int]] = defaultdict(list)
    waited_by: dict[int, list[int]] = defaultdict(list)
    for edge in edges:
        waiting_for[edge.waiter_pid].append(edge.blocker_pid)
        waited_by[edge.blocker_pid].append(edge.waiter_pid)
    blockers = _reach(waiting_for, pid)
    return BlockTree(
        victims=_reach(waited_by, pid),
        blockers=blockers,
        roots=tuple(sorted(blocker for blocker in blockers if blocker not in waiting_for)),
    )


def read_queue(connection: Connection, pid: int) -> Queue:
    """Whether the backend waits, and how many wait for it, for how long."""
    return Queue(**ask_one(connection, "queue", {"pid": pid}))


def read_sessions(connection: Connection, relations: Sequence[str] = (), *, older_than_seconds: float = 5.0) -> list[Session]:
    """Sessions that hold or want a lock on one of the relations, and those whose transaction is older than that; oldest first."""
    rows = ask(connection, "sessions", {"relations": list(relations), "seconds": older_than_seconds})
    return [_session(row) for row in rows]


def read_activity(connection: Connection, *, older_than_seconds: float = 1.0) -> Activity:
    """Transactions that have been open for longer than that, with all their locks, and what autovacuum is at.

    Where sessions are hidden from the role, nothing is known about their transactions.
    """
    rows = ask(connection, "open_transactions", {"seconds": older_than_seconds})
    prepared = ask(connection, "prepared_transactions")
    return Activity(
        at=rows[0]["at"],
        sessions=(
            *(_prepared(row) for row in prepared),
            *(_session(row, keeps_snapshot=row["keeps_snapshot"]) for row in rows if row["pid"] is not None),
        ),
        autovacuum=read_autovacuum(connection),
        hidden=rows[0]["hidden"],
    )


def _prepared(row: Mapping[str, Any]) -> Session:
    """A prepared transaction, which no session holds any more; only COMMIT or ROLLBACK PREPARED ends it."""
    locks: dict[str, list[str]] = defaultdict(list)
    for lock in row["locks"] or ():
        name, _, mode = lock.rpartition(" ")
        locks[name].append(mode)
    return Session(
        pid=0,
        application=f"prepared transaction {row['gid']}",
        user=row["owner"],
        state="prepared",
        query="",
        transaction_seconds=row["age_seconds"],
        locks={name: tuple(modes) for name, modes in locks.items()},
    )


def _reach(graph: Mapping[int, Sequence[int]], start: int) -> dict[int, int]:
    distance = {start: 0}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for neighbour in graph.get(here, ()):
            if neighbour not in distance:
                distance[neighbour] = distance[here] + 1
                queue.append(neighbour)
    del distance[start]
    return distance


def _session(row: Mapping[str, Any], *, keeps_snapshot: bool = False) -> Session:
    return Session(
        pid=row["pid"],
        application=row["application"] or row["backend_type"] or "",
        user=row["user"] or "",
        state=row["state"] or "unknown",
        query=row["query"] or "",
        transaction_seconds=row["transaction_seconds"],
        state_seconds=row["state_seconds"],
        wait=row["wait"],
        locks={name: tuple(modes) for name, modes in (row["locks"] or {}).items()},
        keeps_snapshot=keeps_snapshot,
    )


def _edge(row: Mapping[str, Any], prepared: Sequence[Mapping[str, Any]]) -> BlockEdge:
    return BlockEdge(
        waiter_pid=row["waiter_pid"],
        blocker_pid=row["blocker_pid"],
        relation=row["relation"],
        wanted_mode=row["wanted_mode"],
        wait_seconds=row["wait_seconds"],
        queued_only=row["queued_only"],
        blocker=_prepared_blocker(row, prepared) if row["blocker_pid"] == 0 else _blocker(row),
        waiter_application=row["waiter_application"] or "",
        waiter_query=row["waiter_query"] or "",
    )


def _blocker(row: Mapping[str, Any]) -> Session:
    return Session(
        pid=row["blocker_pid"],
        application=row["blocker_application"] or row["blocker_type"] or "",
        user=row["blocker_user"] or "",
        state=row["blocker_state"] or ("running" if row["blocker_type"] not in {None, "client backend"} else "unknown"),
        query=row["blocker_query"] or "",
        transaction_seconds=row["blocker_transaction_seconds"],
        state_seconds=row["blocker_state_seconds"],
        wait=row["blocker_wait"],
        backend_start=row["blocker_start"] if row["blocker_type"] == "client backend" else None,
        locks={row["relation"]: tuple(row["held_modes"])} if row["relation"] and row["held_modes"] else {},
    )


def _prepared_blocker(row: Mapping[str, Any], prepared: Sequence[Mapping[str, Any]]) -> Session | None:
    """The prepared transaction that holds what is wanted; None where it is gone by now."""
    holders = [found for found in prepared if any(lock.startswith(f"{row['relation']} ") for lock in found["locks"] or ())]
    holder = next(iter(holders or prepared), None)
    if holder is None:
        return None
    return Session(
        pid=0,
        application=f"prepared transaction {holder['gid']}",
        user=holder["owner"],
        state="prepared",
        query="",
        transaction_seconds=holder["age_seconds"],
        locks={row["relation"]: tuple(row["held_modes"])} if row["relation"] and row["held_modes"] else {},
    )
