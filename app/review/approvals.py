"""Which approvals of a revision count: by people who still may, never by its author, for exactly what will run."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.review.evidence import Evidence, stale_because
from app.review.policy import EnvironmentPolicy, Risk
from app.review.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision that nobody dismissed."""

    id: int
    person_id: int
    person: str
    #: the person's role in the project now; None where there is none any more, or the account is closed
    role: Role | None
    verdict: Literal["approve", "request_changes"]
    reason: str
    at: datetime
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A decision and whether it counts."""

    decision: Decided
    #: why it does not count, a sentence each; empty where it counts
    not_counted: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """True where nothing speaks against it."""
        return not self.not_counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The approvals of a revision for a target, against what the policy asks for."""

    needed: int
    approvals: tuple[Judged, ...]
    #: standing requests for changes: one of them is enough to stop the plan
    objections: tuple[Decided, ...]

    @property
    def given(self) -> int:
        """How many approvals count."""
        return sum(judged.counts for judged in self.approvals)

    @property
    def enough(self) -> bool:
        """True where the policy is satisfied and nobody objects."""
        return self.given >= self.needed and not self.objections


def tally(
    decisions: Iterable[Decided], *, policy: EnvironmentPolicy, risk: Risk, authors: frozenset[int], evidence: Evidence
) -> Tally:
    """Count the standing decisions; ``authors`` are those who wrote the plan or the revision."""
    found = tuple(decisions)
    approvals = tuple(
        Judged(decision=decision, not_counted=_against(decision, policy, authors, evidence))
        for decision in found
        if decision.verdict == "approve"
    )
    objections = tuple(decision for decision in found if decision.verdict == "request_changes")
    return Tally(needed=policy.approvals.needed(risk), approvals=approvals, objections=objections)


def _against(decision: Decided, policy: EnvironmentPolicy, authors: frozenset[int], evidence: Evidence) -> tuple[str, ...]:
    reasons = list(stale_because(decision.evidence, evidence))
    if decision.person_id in authors:
        reasons.append(f"{decision.person} wrote this revision: an author's own approval does not count.")
    if decision.role is None or not decision.role.includes(policy.approver_role):
        reasons.append(f"{decision.person} no longer holds the role {policy.approver_role.value}.")
    return tuple(reasons)
