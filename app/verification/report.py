"""What verification found: items that passed, failed or could not be told, each with what was looked at and what was seen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["passed", "failed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that was verified."""

    #: stable: "schema", "indexes", "constraints", "left_over", "check:<step>", "backfill:<step>"
    id: str
    title: str
    state: State
    #: the question, in words or as the query that was asked
    looked_at: str
    #: what was seen, a sentence each
    evidence: tuple[str, ...] = ()
    duration_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The whole result."""

    items: tuple[Item, ...]
    #: fingerprint of the schema as it was found; None where it could not be read
    fingerprint: str | None = None

    @property
    def state(self) -> State:
        """Failed where one item failed, unknown where one could not be told, else passed."""
        states = {item.state for item in self.items}
        return "failed" if "failed" in states else "unknown" if "unknown" in states or not states else "passed"

    def count(self, state: State) -> int:
        """How many items are in that state."""
        return sum(item.state == state for item in self.items)

    def sentence(self) -> str:
        """The result in a line: ``7 passed, 1 failed: no invalid indexes``."""
        parts = [f"{self.count(state)} {word}" for state, word in _WORDS if self.count(state)]
        named = [item.title for item in self.items if item.state == self.state != "passed"]
        return ", ".join(parts) + (f": {', '.join(named)}" if named else "")

    def as_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "state": self.state,
            "sentence": self.sentence(),
            "fingerprint": self.fingerprint,
            "items": [{**asdict(item), "evidence": list(item.evidence)} for item in self.items],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Verification":
        """The verification that ``as_json`` wrote."""
        return cls(
            items=tuple(Item(**{**item, "evidence": tuple(item["evidence"])}) for item in content["items"]),
            fingerprint=content.get("fingerprint"),
        )


_WORDS: tuple[tuple[State, str], ...] = (("passed", "passed"), ("failed", "failed"), ("unknown", "could not be told"))
