"""Polite DDL: look at who holds a conflicting lock first, and wait for old transactions outside the lock queue.

A statement that waits in the queue makes everybody behind it wait too, readers included; outside it makes nobody wait.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.sql.lock_levels import CONFLICTS, MODES, Mode, statement_mode
from app.sql.names import from_range_var
from app.sql.tree import commands, find
from app.steps.retry import ABOVE_DEADLOCK_TIMEOUT_MS
from app.steps.units import Part
from app.target.session import Target

_ALL_RELATIONS = frozenset({"DropStmt", "TruncateStmt", "LockStmt"})
#: not DDL, and yet they take locks that others wait for
_LOCKING = frozenset({"LockStmt", "VacuumStmt"})

_HOLDERS = """
    WITH RECURSIVE wanted AS (
        SELECT DISTINCT pg_catalog.to_regclass(w.name)::oid AS relation, w.mode
          FROM ROWS FROM (unnest(%(names)s::text[]), unnest(%(modes)s::text[])) AS w(name, mode)
    ), tables AS (
        SELECT coalesce(i.indrelid, w.relation) AS relation, w.mode
          FROM wanted AS w LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = w.relation
     UNION
        SELECT h.inhrelid, t.mode FROM tables AS t JOIN pg_catalog.pg_inherits AS h ON h.inhparent = t.relation
    ), held AS (
        SELECT DISTINCT ON (l.pid, l.virtualtransaction) l.pid, l.mode, l.relation::regclass::text AS relation
          FROM tables AS t
          JOIN pg_catalog.pg_locks AS l ON l.relation = t.relation AND l.mode = t.mode AND l.granted
           AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
         WHERE l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
    )
    SELECT h.pid, h.mode, h.relation, a.application_name AS app, a.usename AS usr, a.state, a.backend_type AS type,
           a.backend_start, a.backend_type = 'autovacuum worker' AND a.query NOT LIKE '%%(to prevent wraparound)%%' AS gives_way,
           extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8 AS age_s,
           left(regexp_replace(a.query, '\\s+', ' ', 'g'), 80) AS query
      FROM held AS h
      LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = h.pid
      LEFT JOIN LATERAL (SELECT min(prepared) AS prepared FROM pg_catalog.pg_prepared_xacts
                          WHERE h.pid IS NULL AND database = pg_catalog.current_database()) AS p ON true
     ORDER BY age_s DESC NULLS LAST
"""
_DEADLOCK_TIMEOUT = """
    SELECT setting::int AS ms FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'
"""
_SNAPSHOTS = """
    SELECT a.pid, 'snapshot' AS mode, NULL AS relation, a.application_name AS app, a.usename AS usr, a.state,
           a.backend_type AS type, a.backend_start,
           extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age_s,
           left(regexp_replace(a.query, '\\s+', ' ', 'g'), 80) AS query
      FROM pg_catalog.pg_stat_activity AS a
     WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
       AND a.backend_xmin IS NOT NULL AND a.backend_type IN ('client backend', 'parallel worker')
     ORDER BY a.xact_start
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A session that holds what we need."""

    #: None for a prepared transaction
    pid: int | None
    #: how long its transaction is open; None where the role may not see it
    age_s: float | None
    sentence: str
    #: together with the pid it names the session for good: a pid is given to somebody else one day
    backend_start: datetime | None = None


def blocker_session(pid: int, backend_start: datetime, session: str) -> Mapping[str, Any]:
    """A session in the way as a gauge tells it: named so that a person can have this very one ended, and no later one."""
    return {"pid": pid, "backend_start": backend_start.astimezone(UTC).isoformat(), "session": session}


def sessions_of(found: Iterable[Holder]) -> tuple[Mapping[str, Any], ...]:
    """Those that a person can have ended: sessions of clients, not prepared transactions or the server's own processes."""
    return tuple(
        blocker_session(holder.pid, holder.backend_start, holder.sentence)
        for holder in found
        if holder.pid is not None and holder.backend_start is not None
    )


def wanted_locks(parts: Sequence[Part]) -> tuple[tuple[str, Mode], ...]:
    """Relation and mode of each lock that could make others wait; data changes and reads want none."""
    found: list[tuple[str, Mode]] = []
    for part in parts:
        statement, effect = part.statement, part.effect
        mode = statement_mode(statement.kind, statement.body) if effect.is_ddl or statement.kind in _LOCKING else None
        if mode is None or MODES.index(mode) <= MODES.index("ROW EXCLUSIVE"):
            continue
        names = effect.relations if statement.kind in _ALL_RELATIONS else effect.relations[:1]
        found += [(name, mode) for name in (*names, *effect.indexes)]
    return tuple(dict.fromkeys((*found, *(lock for part in parts for lock in _beside(part)))))


def _beside(part: Part) -> Iterator[tuple[str, Mode]]:
    """Locks on relations that are named second: the table that a foreign key points at, the other end of a partition."""
    body = part.statement.body
    if part.statement.kind not in {"CreateStmt", "AlterTableStmt"}:
        return
    for constraint in find(body, "Constraint"):
        if "pktable" in constraint:
            yield from_range_var(constraint["pktable"]), "SHARE ROW EXCLUSIVE"
    if "partbound" in body:
        yield from ((from_range_var(parent["RangeVar"]), "ACCESS EXCLUSIVE") for parent in body["inhRelations"])
    for command in commands(body):
        if command.get("subtype") == "AT_AttachPartition":
            yield from_range_var(command["def"]["PartitionCmd"]["name"]), "ACCESS EXCLUSIVE"


def holders(target: Target, wanted: Sequence[tuple[str, Mode]], *, older_than_ms: float = 0) -> list[Holder]:
    """Sessions whose locks conflict with these, oldest transaction first, without autovacuums that give way by themselves."""
    return _older((row for row in _in_conflict(target, wanted) if not row["gives_way"]), older_than_ms)


def outlasting_autovacuum_ms(target: Target, wanted: Sequence[tuple[str, Mode]]) -> int:
    """How long to stay in the queue so that the server cancels an autovacuum in our way; 0 where none is.

    The server does so after deadlock_timeout: who leaves the queue earlier never displaces one.
    """
    if not any(row["gives_way"] for row in _in_conflict(target, wanted)):
        return 0
    row = target.one(_DEADLOCK_TIMEOUT)
    return int(row["ms"]) + ABOVE_DEADLOCK_TIMEOUT_MS if row else 0


def _in_conflict(target: Target, wanted: Sequence[tuple[str, Mode]]) -> list[dict[str, Any]]:
    pairs = [(name, conflict) for name, mode in wanted for conflict in sorted(CONFLICTS[mode])]
    if not pairs:
        return []
    values = {"names": [name for name, _ in pairs], "modes": [_as_in_pg_locks(mode) for _, mode in pairs]}
    return target.all(_HOLDERS, values)


def old_snapshots(target: Target, *, older_than_ms: float) -> list[Holder]:
    """Transactions whose snapshot a concurrent index build would wait for, oldest first: our own backup among them."""
    return _older(target.all(_SNAPSHOTS), older_than_ms)


def sentence(row: dict[str, Any]) -> str:
    """One plain sentence about a session, for people who look for its owner."""
    if row["pid"] is None:
        return f"A prepared transaction holds {row['mode']} on {row['relation']}; only COMMIT or ROLLBACK PREPARED ends it."
    who = f"pid {row['pid']} ({row['app'] or row['type'] or 'unnamed'}, user {row['usr'] or 'unknown'})"
    what = "keeps an old snapshot" if row["relation"] is None else f"holds {row['mode']} on {row['relation']}"
    since = "" if row["age_s"] is None else f", in a transaction for {row['age_s']:.0f} s"
    state = f", {row['state']}" if row["state"] else ""
    return f"{who} {what}{since}{state}" + (f": {row['query']}" if row["query"] else "")


def _older(rows: Iterable[dict[str, Any]], older_than_ms: float) -> list[Holder]:
    found = [
        Holder(
            pid=row["pid"],
            age_s=row["age_s"],
            sentence=sentence(row),
            backend_start=row["backend_start"] if row["type"] == "client backend" else None,
        )
        for row in rows
    ]
    # an age that the role may not see counts as young: lock_timeout bounds the wait then
    return [holder for holder in found if older_than_ms <= 0 or (holder.age_s or 0) * 1000 > older_than_ms]


def _as_in_pg_locks(mode: Mode) -> str:
    return mode.title().replace(" ", "") + "Lock"
