"""A rehearsal as a record: the contract's rehearse document, with what people need besides."""

from dataclasses import dataclass, field
from typing import Any

from app.catalog.fingerprint import SchemaChange
from app.catalog.preview import Preview
from app.contract import CONTRACT
from app.plan.model import Grade
from app.rehearsal.crash import CrashTest
from app.rehearsal.trace import StatementTrace


@dataclass(frozen=True, slots=True, kw_only=True)
class StepNote:
    """A step that is not SQL: what the rehearsal did of it, or why nothing."""

    step: str
    kind: str
    #: "ran", "skipped", "failed"
    outcome: str
    text: str
    duration_ms: float = 0.0
    error: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """Back again after forward, and forward once more."""

    ran: bool
    schema_restored: bool
    grade: Grade
    left_over: tuple[SchemaChange, ...] = ()
    #: the rollback's own error, and that of the second way forward
    error: dict[str, Any] | None = None
    again_error: dict[str, Any] | None = None
    reason: str = ""
    duration_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Everything that a rehearsal saw."""

    ok: bool
    target_version: str
    shadow_version: str
    before: str
    after: str
    round_trip: RoundTrip
    statements: tuple[StatementTrace, ...] = ()
    steps: tuple[StepNote, ...] = ()
    changes: tuple[SchemaChange, ...] = ()
    #: every relation that changed, with its definition before and after
    preview: Preview | None = None
    queries: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: dict[str, Any] | None = None
    #: the whole schema after the plan (catalog.encoding), what the real run's result is compared with
    schema_after: dict[str, Any] | None = None
    #: None where it was not asked for
    crash_test: CrashTest | None = None

    def as_json(self) -> dict[str, Any]:
        """The contract's document; keys beyond it are ours to change."""
        return {
            "contract": CONTRACT,
            "ok": self.ok,
            "server": {"target": self.target_version, "shadow": self.shadow_version},
            "statements": [trace.as_json() for trace in self.statements],
            "schema": {"before": self.before, "after": self.after, "diff": [_change(change) for change in self.changes]},
            "preview": self.preview.as_json() if self.preview else None,
            "rollback": {
                "ran": self.round_trip.ran,
                "schema_restored": self.round_trip.schema_restored,
                "grade": self.round_trip.grade,
                "left_over": [_change(change) for change in self.round_trip.left_over],
                "error": self.round_trip.error,
                "again_error": self.round_trip.again_error,
                "reason": self.round_trip.reason,
                "duration_ms": round(self.round_trip.duration_ms, 3),
            },
            "queries": self.queries,
            "steps": [
                {
                    "step": note.step,
                    "kind": note.kind,
                    "outcome": note.outcome,
                    "text": note.text,
                    "duration_ms": round(note.duration_ms, 3),
                    "error": note.error,
                }
                for note in self.steps
            ],
            "notes": list(self.notes),
            "error": self.error,
            "crash_test": self.crash_test.as_json() if self.crash_test else None,
        }


def _change(change: SchemaChange) -> dict[str, Any]:
    return {"object": change.object, "kind": change.kind, "change": change.change, "definition": change.definition}
