"""What a decision was bound to, beyond the text of the plan: when one part moves, the decision is stale, and this says why."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that will really run, and what was known about it."""

    #: plan.model.Plan.digest() of the revision
    plan_digest: str
    target_id: int
    #: where the target is: ``localhost:5432/shop as app``
    dsn_summary: str
    #: of the target's schema as last read; None where it was never read
    catalog_fingerprint: str | None = None
    #: the newest finished rehearsal of this revision for this target; the link only, its result is what binds
    rehearsal_id: int | None = None
    rehearsal_ok: bool | None = None
    #: ``rehearsal_digest`` of its result
    rehearsal_result: str | None = None
    #: of the analysis rules that judged the revision
    rules_version: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The evidence as JSON values: what is stored with a decision."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Evidence":
        """The evidence that was stored."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in content.items() if name in known})

    def digest(self) -> str:
        """SHA-256 (hex) of what binds; the number of the rehearsal does not count, its result does."""
        content = self.as_json()
        content.pop("rehearsal_id")
        return _sha256(content)


def rehearsal_digest(result: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what a rehearsal found out: outcome, schema, rollback, broken queries; times don't count."""
    schema, rollback, queries = (result.get(name) or {} for name in ("schema", "rollback", "queries"))
    return _sha256(
        {
            "ok": result.get("ok"),
            "schema": {name: schema.get(name) for name in ("before", "after", "diff")},
            "rollback": {name: rollback.get(name) for name in ("ran", "schema_restored", "grade", "left_over")},
            "broken": sorted(str(query.get("queryid")) for query in queries.get("broken") or ()),
        }
    )


def stale_because(old: Evidence, new: Evidence) -> tuple[str, ...]:
    """What moved since a decision, a sentence each; empty where it still stands."""
    moved = []
    if old.plan_digest != new.plan_digest:
        moved.append("The plan was edited since.")
    if old.target_id != new.target_id:
        moved.append("It was given for another target.")
    elif old.dsn_summary != new.dsn_summary:
        moved.append(f"The target's connection changed since, from {old.dsn_summary} to {new.dsn_summary}.")
    if old.catalog_fingerprint != new.catalog_fingerprint:
        moved.append(
            "The target's schema was read for the first time since."
            if old.catalog_fingerprint is None
            else "The target's schema changed since."
        )
    moved += _rehearsal_moved(old, new)
    if old.rules_version != new.rules_version:
        first = old.rules_version is None
        moved.append("It was analysed for the first time since." if first else "The rules that judge the risk changed since.")
    return tuple(moved)


def _rehearsal_moved(old: Evidence, new: Evidence) -> list[str]:
    if old.rehearsal_result == new.rehearsal_result:
        return []
    if old.rehearsal_result is None:
        # a rehearsal that only confirms takes nothing away from who approved without one
        return [] if new.rehearsal_ok else ["It was rehearsed since, and the rehearsal failed."]
    if new.rehearsal_result is None:
        return ["Its rehearsal no longer counts."]
    return ["A newer rehearsal had another result."]


def _sha256(content: Any) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
