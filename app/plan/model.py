"""A plan as frozen values: what approvals, rehearsals and runs are bound to, named by the SHA-256 of its canonical form."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

PhaseName = Literal["expand", "migrate", "contract"]
#: In the order in which phases run (expand, then data, then contract).
PHASES: tuple[PhaseName, ...] = ("expand", "migrate", "contract")

#: Every step kind a plan may name; app/steps/registry.py holds one implementation for each (a house test compares them).
STEP_KINDS = ("sql", "backfill", "check", "gate", "hook", "backup", "wait")

Grade = Literal["lossless", "loses-new-writes", "irreversible"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """How a step is undone: SQL with its grade, or a stated reason why it can't be."""

    grade: Grade
    #: statements in the order in which they run; None where nothing has to be done or nothing can be done
    sql: str | None = None
    #: why it is graded so, or why it can't be undone, in words for a reviewer
    reason: str = ""
    #: "written" by a person, or "derived" by Headgate from the syntax tree and the catalog
    origin: Literal["written", "derived"] = "written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: a kind, its parameters, and how it is undone."""

    id: str
    kind: str
    title: str
    #: the kind's own parameters, JSON values only (docs/plan-format.md lists them by kind)
    spec: Mapping[str, Any]
    #: None for kinds that change nothing on the target (check, gate, hook, backup, wait)
    rollback: Rollback | None = None
    #: the file and line the step came from, for findings; not part of the digest
    source_file: str | None = None
    source_line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Steps that belong together between two deploys of the application."""

    name: PhaseName
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """The written part of the plan document (F3): what SQL and catalog can't say. Markdown, shown escaped."""

    summary: str = ""
    data_migration: str = ""
    api_impact: str = ""
    rollback_plan: str = ""
    estimated_downtime: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRisk:
    """A finding that the author takes knowingly: the rule, where, and why."""

    rule: str
    reason: str
    #: None means every step
    step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One revision of a plan: immutable content."""

    name: str
    phases: tuple[Phase, ...]
    brief: Brief = field(default_factory=Brief)
    accepted: tuple[AcceptedRisk, ...] = ()
    #: the tool whose folder it was imported from ("sql", "prisma", ...), or "" for a plan written here
    tool: str = ""

    def steps(self) -> Iterator[Step]:
        """All steps in the order in which they run."""
        for phase in self.phases:
            yield from phase.steps

    def step(self, step_id: str) -> Step:
        """The step of that id.

        Raises KeyError where there is none.
        """
        for step in self.steps():
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    def phase_of(self, step_id: str) -> PhaseName:
        """The phase that holds the step of that id.

        Raises KeyError where there is none.
        """
        for phase in self.phases:
            if any(step.id == step_id for step in phase.steps):
                return phase.name
        raise KeyError(step_id)

    def as_json(self) -> dict[str, Any]:
        """The plan as JSON values: what is stored, and what the digest is taken of."""
        return {
            "name": self.name,
            "tool": self.tool,
            "brief": {name: getattr(self.brief, name) for name in Brief.__dataclass_fields__},
            "accepted": [{"rule": risk.rule, "step": risk.step, "reason": risk.reason} for risk in self.accepted],
            "phases": [{"name": phase.name, "steps": [_step_json(step) for step in phase.steps]} for phase in self.phases],
        }

    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON form; where a step came from does not count."""
        content = self.as_json()
        for phase in content["phases"]:
            for step in phase["steps"]:
                step.pop("source", None)
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Plan":
        """The plan that ``as_json`` wrote."""
        return cls(
            name=content["name"],
            tool=content.get("tool", ""),
            brief=Brief(**content.get("brief", {})),
            accepted=tuple(AcceptedRisk(**risk) for risk in content.get("accepted", ())),
            phases=tuple(
                Phase(name=phase["name"], steps=tuple(_step_from_json(step) for step in phase["steps"]))
                for phase in content["phases"]
            ),
        )


def _step_json(step: Step) -> dict[str, Any]:
    rollback = step.rollback
    return {
        "id": step.id,
        "kind": step.kind,
        "title": step.title,
        "spec": dict(step.spec),
        "rollback": None
        if rollback is None
        else {"grade": rollback.grade, "sql": rollback.sql, "reason": rollback.reason, "origin": rollback.origin},
        "source": {"file": step.source_file, "line": step.source_line},
    }


def _step_from_json(content: Mapping[str, Any]) -> Step:
    rollback = content.get("rollback")
    source = content.get("source") or {}
    return Step(
        id=content["id"],
        kind=content["kind"],
        title=content["title"],
        spec=content["spec"],
        rollback=None if rollback is None else Rollback(**rollback),
        source_file=source.get("file"),
        source_line=source.get("line"),
    )
