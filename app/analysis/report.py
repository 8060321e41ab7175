"""Analysis: what the review page and ``headgate analyze`` show; frozen records, no SQL, no HTML."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from app.analysis.probes.probe import Probe
from app.analysis.rule import RISKS, Risk
from app.contract import CONTRACT
from app.plan.model import Rollback


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a rule says about one place."""

    rule: str
    risk: Risk
    line: int
    column: int
    message: str
    why: str
    safer: str | None
    source: str
    #: the plan step it belongs to, or None
    step: str | None = None
    #: why somebody takes it knowingly, or None; an accepted finding no longer raises the level
    accepted: str | None = None
    #: the level that the rule found, where the target's policy gives it another
    judged: Risk | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock that a statement takes, and what waits for it."""

    relation: str
    mode: str
    #: "reads", "writes"
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkDone:
    """One class of work on the rows of one table, as app/analysis/duration.py names it."""

    kind: str
    relation: str
    #: of its heap; None where no target says
    table_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """Who waits for one lock of a statement, with the numbers behind it."""

    relation: str
    mode: str
    #: "reads", "writes"
    blocked: tuple[str, ...]
    #: how long the lock is held: the least, what is expected, the most; None where a size is not known
    held_ms: tuple[float, float, float] | None
    #: statements a second that would wait; None where nothing has counted them
    calls_per_second: float | None
    #: at the most; None where one of the two is not known
    waiting_statements: int | None
    #: statements that queue behind the lock request while an older transaction is in its way, and how long at most
    queued_statements: int | None
    queue_ms: float | None
    #: the inputs, for people
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstMoment:
    """When most others wait, in a sentence: ``about 4,200 statements would wait, the longest 3.1 s``."""

    sentence: str
    #: number of the statement, or None where nobody waits
    statement: int | None = None
    impact: Impact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """How far the durations may be trusted: what earlier ones on the same target came to."""

    count: int
    #: half of the last ones were off by less than this share; None where nothing ran there yet
    median_error: float | None
    sentence: str
    #: the classes of work whose rates were measured on the target itself
    measured: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementReport:
    """Everything known about one statement."""

    index: int
    file: str | None
    line: int
    sql: str
    command: str
    relations: tuple[str, ...]
    risk: Risk
    locks: tuple[Lock, ...]
    rewrites: tuple[str, ...]
    scans: tuple[str, ...]
    transactional: bool
    findings: tuple[Finding, ...]
    rollback: Rollback | None = None
    step: str | None = None
    phase: str | None = None
    #: lowest and highest estimate of how long others wait; None where sizes are unknown
    blocked_ms: tuple[float, float] | None = None
    #: how long it takes: the least, what is expected, the most; None where sizes are unknown or it does no work
    duration_ms: tuple[float, float, float] | None = None
    work: tuple[WorkDone, ...] = ()
    #: who waits for its locks, as far as it is known
    impact: tuple[Impact, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As the contract says."""
        rollback = self.rollback
        return {
            **asdict(self),
            "rollback": None
            if rollback is None
            else {"sql": rollback.sql, "grade": rollback.grade, "reason": rollback.reason, "origin": rollback.origin},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChanges:
    """Which tables the input modifies, makes and removes."""

    modified: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """One change that a client can see: of a column, or of a relation where ``column`` is empty."""

    relation: str
    #: added, "added, and demanded", removed, renamed, type, not null, nullable, no default; created, dropped, renamed, moved
    change: str
    column: str = ""
    was: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The judgement of a whole input."""

    risk: Risk
    assumptions: tuple[str, ...]
    tables: TableChanges
    statements: tuple[StatementReport, ...]
    #: when most others wait; None in analyses that an older Headgate kept
    worst_moment: WorstMoment | None = None
    #: None where nobody keeps what happened on the target
    estimates: Estimates | None = None
    changes: tuple[SchemaChange, ...] = ()
    #: what the target's rows are to be asked; not part of the document, the answers are
    probes: tuple[Probe, ...] = field(default=(), compare=False)

    def findings(self) -> tuple[Finding, ...]:
        """Every finding in the order of the statements."""
        return tuple(finding for statement in self.statements for finding in statement.findings)

    def as_json(self) -> dict[str, Any]:
        """The document of docs/contract.md, section "analyze"."""
        return {
            "contract": CONTRACT,
            "risk": self.risk,
            "assumptions": list(self.assumptions),
            "tables": asdict(self.tables),
            "statements": [statement.as_json() for statement in self.statements],
            "worst_moment": asdict(self.worst_moment) if self.worst_moment else None,
            "estimates": asdict(self.estimates) if self.estimates else None,
            "changes": [asdict(change) for change in self.changes],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Analysis":
        """The analysis that ``as_json`` wrote, also after a round through JSON text."""
        return cls(
            risk=content["risk"],
            assumptions=tuple(content["assumptions"]),
            tables=TableChanges(**{name: tuple(content["tables"][name]) for name in ("modified", "new", "removed")}),
            statements=tuple(_statement_from_json(entry) for entry in content["statements"]),
            worst_moment=_worst_from_json(content.get("worst_moment")),
            estimates=_estimates_from_json(content.get("estimates")),
            changes=tuple(SchemaChange(**change) for change in content.get("changes", ())),
        )

    def reaches(self, threshold: Risk) -> bool:
        """True where the level is at or over a threshold; unknown counts as more than medium and less than high."""
        return RISKS.index(self.risk) >= RISKS.index(threshold)


def _statement_from_json(content: Mapping[str, Any]) -> StatementReport:
    rollback, blocked = content.get("rollback"), content.get("blocked_ms")
    lists: dict[str, Any] = {name: tuple(content[name]) for name in ("relations", "rewrites", "scans")}
    plain: dict[str, Any] = {
        name: content.get(name) for name in ("index", "file", "line", "sql", "command", "risk", "transactional", "step", "phase")
    }
    return StatementReport(
        **plain,
        **lists,
        locks=tuple(
            Lock(relation=lock["relation"], mode=lock["mode"], blocks=tuple(lock["blocks"])) for lock in content["locks"]
        ),
        findings=tuple(Finding(**finding) for finding in content["findings"]),
        rollback=None if rollback is None else Rollback(**rollback),
        blocked_ms=None if blocked is None else (blocked[0], blocked[1]),
        duration_ms=_three(content.get("duration_ms")),
        work=tuple(WorkDone(**entry) for entry in content.get("work", ())),
        impact=tuple(_impact_from_json(entry) for entry in content.get("impact", ())),
    )


def _impact_from_json(content: Mapping[str, Any]) -> Impact:
    return Impact(**{**content, "blocked": tuple(content["blocked"]), "held_ms": _three(content["held_ms"])})


def _worst_from_json(content: Mapping[str, Any] | None) -> WorstMoment | None:
    if content is None:
        return None
    impact = content.get("impact")
    return WorstMoment(
        sentence=content["sentence"],
        statement=content.get("statement"),
        impact=None if impact is None else _impact_from_json(impact),
    )


def _estimates_from_json(content: Mapping[str, Any] | None) -> Estimates | None:
    return None if content is None else Estimates(**{**content, "measured": tuple(content["measured"])})


def _three(span: Any) -> tuple[float, float, float] | None:
    return None if span is None else (span[0], span[1], span[2])
