"""What was found out about a revision for a target, in as few columns as its readiness needs: reports stay where they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.store.tables.plans import Analysis, Rehearsal
from app.store.tables.targets import SchemaSnapshot
from app.store.words import JobState


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisFound:
    """The newest finished analysis, and the error of a newer one that failed."""

    id: int | None = None
    risk: str | None = None
    rules_version: str | None = None
    #: fingerprint of the target's schema that it was judged by; None where there was none to judge by
    schema: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalFound:
    """The newest finished rehearsal, and the error of a newer one that failed."""

    id: int | None = None
    ok: bool | None = None
    #: the parts of the "rehearse" document that tell its outcome: ok, schema, rollback, queries.broken
    outcome: Mapping[str, Any] | None = None
    #: fingerprint of the target's schema that it ran on
    schema: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The newest analysis and rehearsal, where whoever asks has loaded them already."""

    analysis: Analysis | None = None
    #: fingerprint of the snapshot that the analysis was made with
    analysed_schema: str | None = None
    rehearsal: Rehearsal | None = None


def analysis_of(session: Session, revision_id: int, target_id: int, known: Known | None = None) -> AnalysisFound:
    """What the analyses of a revision for a target say."""
    newest = known.analysis if known else None
    if known is not None and newest is not None and newest.state is JobState.DONE:
        risk = (newest.report or {}).get("risk")
        return AnalysisFound(id=newest.id, risk=risk, rules_version=newest.rules_version, schema=known.analysed_schema)
    rows = session.execute(
        select(
            Analysis.id,
            Analysis.state,
            Analysis.rules_version,
            Analysis.report["risk"].astext.label("risk"),
            Analysis.error["message"].astext.label("error"),
            SchemaSnapshot.fingerprint,
        )
        .outerjoin(SchemaSnapshot, SchemaSnapshot.id == Analysis.snapshot_id)
        .where(Analysis.revision_id == revision_id, Analysis.target_id == target_id)
        .order_by(Analysis.id.desc())
    ).all()
    done = next((row for row in rows if row.state is JobState.DONE), None)
    error = rows[0].error if rows and rows[0].state is JobState.FAILED else None
    if done is None:
        return AnalysisFound(error=error)
    return AnalysisFound(id=done.id, risk=done.risk, rules_version=done.rules_version, schema=done.fingerprint, error=error)


def rehearsal_of(session: Session, revision_id: int, target_id: int, known: Known | None = None) -> RehearsalFound:
    """What the rehearsals of a revision for a target say."""
    newest = known.rehearsal if known else None
    if newest is not None and newest.state is JobState.DONE:
        result = newest.result or {}
        told = {name: result.get(name) for name in ("schema", "rollback")}
        outcome = {"ok": newest.ok, **told, "queries": {"broken": (result.get("queries") or {}).get("broken")}}
        return RehearsalFound(id=newest.id, ok=newest.ok, outcome=outcome, schema=result.get("target_schema"))
    rows = session.execute(
        select(
            Rehearsal.id,
            Rehearsal.state,
            Rehearsal.ok,
            Rehearsal.result["schema"].label("schema"),
            Rehearsal.result["rollback"].label("rollback"),
            Rehearsal.result["queries"]["broken"].label("broken"),
            Rehearsal.error["message"].astext.label("error"),
            Rehearsal.result["target_schema"].astext.label("target_schema"),
        )
        .where(Rehearsal.revision_id == revision_id, Rehearsal.target_id == target_id)
        .order_by(Rehearsal.id.desc())
    ).all()
    done = next((row for row in rows if row.state is JobState.DONE), None)
    error = rows[0].error if rows and rows[0].state is JobState.FAILED else None
    if done is None:
        return RehearsalFound(error=error)
    outcome = {"ok": done.ok, "schema": done.schema, "rollback": done.rollback, "queries": {"broken": done.broken}}
    return RehearsalFound(id=done.id, ok=done.ok, outcome=outcome, schema=done.target_schema, error=error)
