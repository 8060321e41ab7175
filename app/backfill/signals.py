"""What may slow a backfill down: each signal as one question to the server, its limit, and what passing it means.

Source: views of PostgreSQL 14 to 18; pg_locks.waitstart needs 14. Most answers need the role pg_monitor; what can't be read is
shown as unknown and keeps the speed from rising.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.rows import dict_row

WAITING_FOR_US = """
SELECT count(*) AS waiters, coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)) * 1000, 0)::float8 AS longest_ms
  FROM pg_catalog.pg_locks WHERE NOT granted AND pg_blocking_pids(pid) && %(ours)s::int[]
"""
ACTIVITY = """
SELECT count(*) FILTER (WHERE state = 'active') AS active,
       count(*) FILTER (WHERE state = 'active' AND wait_event_type = 'Lock') AS lock_waiters,
       count(*) FILTER (WHERE wait_event IN ('WALWrite', 'WALSync', 'WalSync', 'WALInsert', 'WalWrite')) AS wal_waiters
  FROM pg_catalog.pg_stat_activity
 WHERE backend_type = 'client backend' AND pid <> ALL (%(ours)s::int[]) AND pid <> pg_backend_pid()
"""
STANDBYS = """
SELECT count(*) AS standbys, count(*) FILTER (WHERE replay_lsn IS NULL) AS hidden,
       coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), 0)::float8 AS behind_bytes,
       coalesce(max(extract(epoch FROM replay_lag)), 0)::float8 AS behind_seconds
  FROM pg_catalog.pg_stat_replication WHERE state IN ('streaming', 'catchup')
"""
SLOTS = """
SELECT count(*) FILTER (WHERE wal_status = 'unreserved') AS losing, count(*) FILTER (WHERE wal_status = 'extended') AS extended
  FROM pg_catalog.pg_replication_slots
"""
DDL_WAITING = """
SELECT count(*) AS waiting FROM pg_catalog.pg_locks
 WHERE NOT granted AND locktype = 'relation' AND relation = ANY (%(oids)s::bigint[]::oid[])
   AND mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
   AND pid <> ALL (%(ours)s::int[])
   AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
"""
# An old snapshot, a forgotten prepared transaction or a slot keeps dead row versions from being reused.
OLDEST_HOLDER = """
SELECT what, seconds FROM (
    SELECT 'session ' || pid AS what, extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds
      FROM pg_catalog.pg_stat_activity
     WHERE backend_xmin IS NOT NULL AND xact_start IS NOT NULL AND pid <> ALL (%(ours)s::int[]) AND pid <> pg_backend_pid()
       AND backend_type <> 'autovacuum worker' AND (datname = current_database() OR backend_type = 'walsender')
    UNION ALL
    SELECT 'prepared transaction ' || gid, extract(epoch FROM clock_timestamp() - prepared)::float8
      FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()) AS holders
 ORDER BY seconds DESC LIMIT 1
"""
ARCHIVER = """
SELECT current_setting('archive_mode') <> 'off' AS is_on, last_archived_wal, pg_walfile_name(pg_current_wal_lsn()) AS now,
       pg_size_bytes(current_setting('wal_segment_size')) AS segment_bytes
  FROM pg_catalog.pg_stat_archiver
"""

STANDBY_SECONDS, STANDBY_BYTES = 5.0, 256 * 1024**2
ARCHIVE_SEGMENTS = 42
OLD_HOLDER_SECONDS = 30.0
#: limits that are given in another unit than their reading has
_UNITS = {"standby_behind": 1024**2}
#: shown by default, and waited for where a step bounds them
_WAITED_FOR = {"oldest_transaction"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One signal at one moment."""

    name: str
    value: float
    #: None: shown, but nothing follows from it
    limit: float | None
    unit: str
    #: passing the limit stops the walk instead of slowing it
    stops: bool = False
    is_known: bool = True
    #: what the page adds: which session, which slot
    note: str = ""
    #: passing the limit changes how the walk is done, not its speed
    only_shown: bool = False
    #: the name of its limit in a step, where it has one
    key: str = ""

    @property
    def load(self) -> float:
        """Value by limit; 1 where it could not be read, so that speed does not rise on ignorance."""
        if not self.is_known:
            return 1.0
        if self.limit is None or self.only_shown:
            return 0.0
        return self.value / self.limit if self.limit else (1.5 if self.value else 0.0)

    @property
    def state(self) -> str:
        """ok, slowing, stopping or unknown."""
        if not self.is_known:
            return "stopping" if self.stops else "unknown"
        passed = self.limit is not None and self.value > self.limit
        return "ok" if not passed else "stopping" if self.stops else "slowing"

    def as_json(self) -> dict[str, Any]:
        """What a gauge carries."""
        found = {"value": round(self.value, 3), "limit": self.limit, "unit": self.unit, "state": self.state}
        return {**found, "note": self.note} if self.note else found


def ask(connection: psycopg.Connection[Any], query: str, words: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first row of a question, or None where the server or our rights do not give an answer."""
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, words).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return None


def unknown(name: str, unit: str, key: str = "") -> Reading:
    """A signal that could not be read."""
    return Reading(name=name, value=0.0, limit=None, unit=unit, is_known=False, key=key)


def with_limits(readings: Sequence[Reading], limits: Mapping[str, float]) -> list[Reading]:
    """The readings with the limits that a step sets; what can't be read although it is bounded stops the walk."""
    return [_limited(reading, limits[reading.key]) if reading.key in limits else reading for reading in readings]


def _limited(reading: Reading, limit: float) -> Reading:
    stops = reading.stops or reading.key in _WAITED_FOR or not reading.is_known
    return replace(reading, limit=limit * _UNITS.get(reading.key, 1), stops=stops, only_shown=False)


def read_often(connection: psycopg.Connection[Any], ours: Sequence[int], usual_active: float) -> list[Reading]:
    """Who waits for us, and how busy the others are; a few times a second."""
    words = {"ours": list(ours)}
    readings = []
    waiting = ask(connection, WAITING_FOR_US, words)
    if waiting is not None:
        note = f"{waiting['waiters']} sessions" if waiting["waiters"] else ""
        readings.append(Reading(name="waiting for us", value=waiting["longest_ms"], limit=0.0, unit="ms", note=note))
    activity = ask(connection, ACTIVITY, words)
    if activity is not None:
        limit = 2 * usual_active + 2
        readings.append(
            Reading(name="active sessions", value=float(activity["active"]), limit=limit, unit="sessions", key="active_sessions")
        )
        readings.append(Reading(name="WAL waiters", value=float(activity["wal_waiters"]), limit=limit, unit="sessions"))
    return readings


def read_seldom(connection: psycopg.Connection[Any], ours: Sequence[int], oids: Sequence[int]) -> list[Reading]:
    """Standbys, slots, archive, waiting DDL and old snapshots; once a second."""
    words = {"ours": list(ours), "oids": list(oids)}
    readings = [*_standbys(ask(connection, STANDBYS, words)), *_archive(ask(connection, ARCHIVER, words))]
    slots = ask(connection, SLOTS, words)
    if slots is None:
        readings.append(unknown("replication slots", "slots"))
    elif slots["losing"] or slots["extended"]:
        readings.append(Reading(name="replication slots", value=float(slots["losing"]), limit=0.0, unit="slots", stops=True))
    ddl = ask(connection, DDL_WAITING, words)
    if ddl is not None and ddl["waiting"]:
        readings.append(
            Reading(name="DDL waits for the table", value=float(ddl["waiting"]), limit=0.0, unit="sessions", stops=True)
        )
    holder = ask(connection, OLDEST_HOLDER, words)
    seconds = float(holder["seconds"]) if holder else 0.0
    note = f"{holder['what']} stops reuse of space" if holder and seconds > OLD_HOLDER_SECONDS else ""
    readings.append(
        Reading(
            name="oldest transaction",
            value=seconds,
            limit=OLD_HOLDER_SECONDS,
            unit="s",
            note=note,
            only_shown=True,
            key="oldest_transaction",
        )
    )
    return readings


def _standbys(found: Mapping[str, Any] | None) -> list[Reading]:
    if found is None or found["hidden"]:
        return [unknown("standby lag", "s", key="standby_lag")]
    if not found["standbys"]:
        return []
    return [
        Reading(
            name="standby lag", value=found["behind_seconds"], limit=STANDBY_SECONDS, unit="s", stops=True, key="standby_lag"
        ),
        Reading(
            name="standby behind",
            value=found["behind_bytes"],
            limit=float(STANDBY_BYTES),
            unit="bytes",
            stops=True,
            key="standby_behind",
        ),
    ]


def _archive(found: Mapping[str, Any] | None) -> list[Reading]:
    if not found or not found["is_on"] or not found["last_archived_wal"]:
        return []
    backlog = segments_between(found["last_archived_wal"], found["now"], int(found["segment_bytes"]))
    return [
        Reading(
            name="WAL to archive",
            value=float(backlog),
            limit=float(ARCHIVE_SEGMENTS),
            unit="segments",
            stops=True,
            key="archive_backlog",
        )
    ]


def segments_between(archived: str, now: str, segment_bytes: int) -> int:
    """How many WAL files lie between two file names; 0 where the first is not a plain segment's name."""
    per_file = 0x1_0000_0000 // segment_bytes

    def number(name: str) -> int:
        return int(name[8:16], 16) * per_file + int(name[16:24], 16)

    plain = len("000000010000000000000001")
    if len(archived) != plain or len(now) != plain:
        return 0
    return max(0, number(now) - number(archived) - 1)


def halted_by(readings: Sequence[Reading]) -> str:
    """The name of the signal that stops the walk, or an empty string."""
    return next((reading.name for reading in readings if reading.state == "stopping"), "")


def limiting(readings: Sequence[Reading]) -> Reading | None:
    """The signal that is farthest over its limit, if one is."""
    over = [reading for reading in readings if reading.state in {"slowing", "stopping"} and not reading.only_shown]
    return max(over, key=lambda reading: (reading.stops, reading.load), default=None)
