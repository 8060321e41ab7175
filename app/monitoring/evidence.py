"""What the items of the monitoring checklist are judged by, and how a judgement looks."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from app.monitoring.differences import Comparison
from app.monitoring.integrity import Integrity
from app.monitoring.verdict import Verdict
from app.run.events import Event
from app.verification.report import Verification

#: as app.store.words.ItemState has them; "overridden" is a person's
ItemState = Literal["pending", "passed", "failed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From when on an item fails; shown beside it."""

    commit_rate_low: float = 0.5
    commit_rate_usual: float = 0.7
    connections_full: float = 0.95
    least_transactions: int = 1000
    rollback_ratio: float = 2.0
    rollback_z: float = 4.0
    least_rollbacks: int = 20
    deadlocks: int = 3
    index_reads: int = 1000
    size_ratio: float = 1.5
    #: without a prediction: an update of every row leaves as much again behind
    size_ratio_unpredicted: float = 2.5
    size_floor_bytes: int = 16 * 1024 * 1024
    dead_share: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is known when an item is judged; None means that it was not looked at."""

    events: tuple[Event, ...] = ()
    #: the state of the run in words: "monitoring", "failed", ...
    run_state: str = ""
    verification: Verification | None = None
    comparison: Comparison | None = None
    verdict: Verdict | None = None
    integrity: Integrity | None = None
    #: constraints that the plan leaves unvalidated on purpose, "public.orders.c"
    loose_on_purpose: frozenset[str] = frozenset()
    #: answers of a health address: asked, and of these fine; None without one
    health: tuple[int, int] | None = None
    #: table -> size after the rehearsal, scaled to the target
    predicted_bytes: Mapping[str, int] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One item of the checklist judged."""

    item_id: str
    window: str
    state: ItemState
    #: for a person, with the numbers in it
    sentence: str
    figures: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """What is stored as the item's figures."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a judge of one item says, before it is known whether the window is over."""

    state: Literal["passed", "failed", "unknown"]
    sentence: str
    figures: Mapping[str, Any] = field(default_factory=dict)
