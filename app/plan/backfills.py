"""A backfill step in words: the sentence people read, the one statement it stands for, the limits it may be given."""

from collections.abc import Mapping
from typing import Any

#: what a person may bound, by name: unit, what applies where nothing is said, and what passing it means
LIMITS: Mapping[str, str] = {
    "commit_latency": "times the latency of a small commit before the start (the profile's: 1.5, 3 or 5); slower",
    "active_sessions": "other sessions at work (twice as many as before the start, and 2); slower",
    "wal_rate": "MiB of WAL a second on the whole server (no limit); slower",
    "forced_checkpoints": "checkpoints a minute that WAL forced (no limit); slower",
    "dead_rows": "times the dead rows at which autovacuum comes (5, where autovacuum is on); slower",
    "standby_lag": "seconds that a standby is behind (5); waits",
    "standby_behind": "MiB of WAL that a standby has not replayed (256); waits",
    "archive_backlog": "WAL files that wait for the archiver (42); waits",
    "oldest_transaction": "seconds that the oldest transaction is open (no limit); waits",
}


def as_sentence(spec: Mapping[str, Any]) -> str:
    """What it does, without the full stop: ``Sets role = 'user' in public.users where role IS NULL``."""
    table, where = spec.get("table"), f" where {spec['where']}" if spec.get("where") else ""
    if spec.get("delete"):
        return f"Deletes rows of {table}{where}"
    if spec.get("into"):
        columns = f" ({spec['columns']})" if spec.get("columns") else ""
        return f"Copies rows of {table}{columns} into {spec['into']}{where}"
    return f"Sets {spec.get('set')} in {table}{where}"


def as_statement(spec: Mapping[str, Any]) -> str:
    """The SQL that would do the same in one bite; it is shown to people and sent to nobody."""
    table, where = spec.get("table"), spec.get("where") or "true"
    if spec.get("delete"):
        return f"DELETE FROM {table}\n WHERE {where}"  # noqa: S608 (words for people)
    if spec.get("into"):
        columns = spec.get("columns") or "..."
        return f"INSERT INTO {spec['into']}\nSELECT {columns}\n  FROM {table}\n WHERE {where}"
    return f"UPDATE {table}\n   SET {spec.get('set')}\n WHERE {where}"  # noqa: S608 (words for people)
