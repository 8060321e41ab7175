"""Looks at a target: can it be reached, what may the role do there, what does its schema look like now."""

import contextlib

from sqlalchemy.orm import Session

from app.actions.worker.desk import Desk, Report, target_dsn
from app.backfill.applied import mark_managed
from app.backfill.ledger_tables import LedgerRightsError, ensure_ledger
from app.catalog.capabilities import read_capabilities
from app.catalog.encoding import schema_to_json, statistics_to_json
from app.catalog.fingerprint import fingerprint
from app.catalog.records import Schema, Statistics
from app.catalog.schema import read_schema
from app.catalog.statistics import read_statistics
from app.errors import HeadgateError
from app.store.tables.targets import SchemaSnapshot, Target
from app.store.targets import policy_of
from app.target.session import Target as TargetSession


def check_target(desk: Desk, target_id: int, report: Report) -> None:
    """Test the connection and keep what was found, or the error; then take a snapshot of the schema."""
    with desk.sessions() as session:
        dsn = target_dsn(session, desk.settings, target_id)
    report({"text": "Connecting"})
    try:
        with TargetSession.connect(dsn, purpose="connection test") as target:
            capabilities = read_capabilities(target.connection)
            version = target.server_version
    except HeadgateError as error:
        with desk.sessions.begin() as session:
            row = session.get_one(Target, target_id)
            row.last_checked_at, row.last_error = desk.clock.now(), error.as_json()
        raise
    with desk.sessions.begin() as session:
        row = session.get_one(Target, target_id)
        row.last_checked_at, row.last_error = desk.clock.now(), None
        row.server_version, row.capabilities = version, capabilities.as_json()
    snapshot_schema(desk, target_id, report)
    with contextlib.suppress(LedgerRightsError):  # what is missing stands among the capabilities, with its GRANT
        mark_target(desk, target_id)


def mark_target(desk: Desk, target_id: int) -> None:
    """Write on the target that Headgate looks after it, and whether its policy wants approvals: the command line asks there.

    Raises LedgerRightsError, TargetError.
    """
    with desk.sessions() as session:
        dsn = target_dsn(session, desk.settings, target_id)
        policy = policy_of(session, session.get_one(Target, target_id))
    wants = any(policy.approvals.needed(risk) for risk in ("low", "medium", "high"))
    with TargetSession.connect(dsn, purpose="marks its target") as target:
        ensure_ledger(target, desk.settings.ledger_schema)
        mark_managed(target, desk.settings.ledger_schema, by=desk.settings.public_url, wants_approval=wants)


def snapshot_schema(desk: Desk, target_id: int, report: Report) -> None:
    """Read the target's schema and sizes and keep them."""
    report({"text": "Reading the schema"})
    with desk.sessions() as session:
        dsn = target_dsn(session, desk.settings, target_id)
    schema, statistics = look(dsn)
    with desk.sessions.begin() as session:
        keep_snapshot(session, desk, target_id, schema, statistics)


def look(dsn: str) -> tuple[Schema, Statistics]:
    """Schema and statistics of a target as they are now; Raises TargetError."""
    with TargetSession.connect(dsn, purpose="reads the catalog", allow_standby=True) as target:
        return read_schema(target.connection), read_statistics(target.connection)


def keep_snapshot(session: Session, desk: Desk, target_id: int, schema: Schema, statistics: Statistics) -> SchemaSnapshot:
    """Write a snapshot's row, and the target's present fingerprint with it."""
    name = fingerprint(schema)
    snapshot = SchemaSnapshot(
        target_id=target_id,
        taken_at=desk.clock.now(),
        fingerprint=name,
        content=schema_to_json(schema),
        statistics=statistics_to_json(statistics),
    )
    session.add(snapshot)
    session.get_one(Target, target_id).schema_fingerprint = name
    session.flush()
    return snapshot
