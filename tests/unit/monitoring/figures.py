"""Snapshots for tests, with only what a test is about."""

import dataclasses
from datetime import UTC, datetime, timedelta

from app.monitoring.figures import Epoch, IndexFigures, Snapshot, StatementFigures, TableFigures

START = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH = Epoch(
    server_started="2025-12-01T00:00:00+00:00",
    background_reset="2025-12-01T00:00:00+00:00",
    wal_reset="2025-12-01T00:00:00+00:00",
    system_identifier="1",
    timeline=1,
    database_oid=5,
    statements_reset=START.isoformat(),
    max_entries=5000,
)
USERS = "SELECT * FROM users WHERE id = $1"


def statement(key, calls, mean_ms, *, stddev_ms=None, blocks=3, **others) -> StatementFigures:
    deviation = mean_ms / 2 if stddev_ms is None else stddev_ms
    return StatementFigures(
        **{
            "key": f"10:top:{key}",
            "query": USERS,
            "calls": calls,
            "total_ms": calls * mean_ms,
            "squares": calls * (mean_ms**2 + deviation**2),
            "rows": calls,
            "blocks": calls * blocks,
            **others,
        }
    )


def control(calls, mean_ms, count=10):
    return [statement(f"control{number}", calls, mean_ms, touches=False) for number in range(count)]


def table(name="public.users", **others) -> TableFigures:
    names = [
        field.name for field in dataclasses.fields(TableFigures) if field.default is dataclasses.MISSING and field.name != "name"
    ]
    return TableFigures(name=name, **{**dict.fromkeys(names, 0), "table_bytes": 100 * 1024 * 1024, "indexes_bytes": 0, **others})


def index(name, scans, *, counter=1, **others) -> IndexFigures:
    return IndexFigures(name=name, relation="public.users", counter=counter, scans=scans, **others)


def snapshot(hours, *statements, epoch=EPOCH, tables=(), indexes=(), **others) -> Snapshot:
    return Snapshot(
        **{
            "taken_at": (START + timedelta(hours=hours)).isoformat(),
            "version_num": 180000,
            "epoch": epoch,
            "relations": ("public.users",),
            "statements": tuple(statements),
            "tables": {found.name: found for found in tables},
            "indexes": {found.name: found for found in indexes},
            "database": {"xact_commit": 0, "xact_rollback": 0, "deadlocks": 0, "sessions_fatal": 0},
            "has_statements": True,
            **others,
        }
    )
