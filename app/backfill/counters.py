"""Signals that add up: WAL a second, checkpoints that WAL forced, dead rows that wait for autovacuum.

WAL and checkpoints are shown, and slow the walk where a step bounds them: by themselves slower batches write the same WAL, only
later. Dead rows slow it where autovacuum may come and clear them away.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

import psycopg

from app.backfill.signals import Reading, ask

WAL_WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS bytes"
# pg_stat_checkpointer has the counter from PostgreSQL 17 on
CHECKPOINTS = {
    False: "SELECT checkpoints_req::bigint AS forced FROM pg_catalog.pg_stat_bgwriter",
    True: "SELECT num_requested AS forced FROM pg_catalog.pg_stat_checkpointer",
}
DEAD_ROWS = """
SELECT coalesce(sum(s.n_dead_tup), 0)::float8 AS dead,
       greatest(sum(current_setting('autovacuum_vacuum_threshold')::float8
                    + current_setting('autovacuum_vacuum_scale_factor')::float8 * greatest(c.reltuples, 0)), 1) AS bound,
       (SELECT count(*) FROM pg_catalog.pg_stat_progress_vacuum v WHERE v.relid = ANY (%(oids)s::bigint[]::oid[])) AS vacuums,
       current_setting('autovacuum')::boolean
         AND bool_and(coalesce((SELECT option_value::boolean FROM pg_catalog.pg_options_to_table(c.reloptions)
                                 WHERE option_name = 'autovacuum_enabled'), true)) AS is_vacuumed
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_stat_user_tables s ON s.relid = c.oid
 WHERE c.oid = ANY (%(oids)s::bigint[]::oid[])
"""
_WINDOW_SECONDS = 60.0
_NEW_CHECKPOINTER_VIEW = 170000
#: dead rows may be so many times the number at which autovacuum comes by itself
_DEAD_LIMIT = 5.0


class Counters:
    """Remembers what it read before."""

    def __init__(self, oids: Sequence[int]) -> None:
        """``oids``: the tables with storage that are walked."""
        self._oids = list(oids)
        self._wal: tuple[float, float] | None = None
        self._forced: deque[tuple[float, int]] = deque()

    def read(self, connection: psycopg.Connection[Any], now: float) -> list[Reading]:
        """The readings at ``now``, a monotonic time."""
        return [*self._wal_rate(connection, now), *self._checkpoints(connection, now), *self._dead_rows(connection)]

    def _wal_rate(self, connection: psycopg.Connection[Any], now: float) -> list[Reading]:
        found = ask(connection, WAL_WRITTEN, {})
        if found is None:
            return []
        before, self._wal = self._wal, (now, float(found["bytes"]))
        if before is None or now <= before[0]:
            return []
        rate = (self._wal[1] - before[1]) / (now - before[0]) / 1024**2
        return [Reading(name="WAL", value=rate, limit=None, unit="MiB/s", key="wal_rate")]

    def _checkpoints(self, connection: psycopg.Connection[Any], now: float) -> list[Reading]:
        found = ask(connection, CHECKPOINTS[connection.info.server_version >= _NEW_CHECKPOINTER_VIEW], {})
        if found is None:
            return []
        self._forced.append((now, int(found["forced"])))
        while now - self._forced[0][0] > _WINDOW_SECONDS:
            self._forced.popleft()
        forced = self._forced[-1][1] - self._forced[0][1]
        note = "raise max_wal_size: each writes whole pages to WAL again" if forced > 1 else ""
        return [
            Reading(
                name="forced checkpoints",
                value=float(forced),
                limit=1.0,
                unit="a minute",
                note=note,
                only_shown=True,
                key="forced_checkpoints",
            )
        ]

    def _dead_rows(self, connection: psycopg.Connection[Any]) -> list[Reading]:
        found = ask(connection, DEAD_ROWS, {"oids": self._oids})
        if found is None or found["bound"] is None:
            return []
        debt = float(found["dead"]) / float(found["bound"])
        is_vacuumed = bool(found["is_vacuumed"])
        note = "autovacuum is at work on the table" if found["vacuums"] else "" if is_vacuumed else "autovacuum is off"
        return [
            Reading(
                name="dead rows",
                value=debt,
                limit=_DEAD_LIMIT,
                unit="x of autovacuum's bound",
                note=note,
                only_shown=not is_vacuumed,
                key="dead_rows",
            )
        ]
