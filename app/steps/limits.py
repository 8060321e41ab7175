"""The lock policy of each class of statement, as it will be at the run: shown before it, on the page, by REST and by the CLI."""

from dataclasses import dataclass
from typing import Literal

from app.plan.model import Step
from app.steps.politeness import wanted_locks
from app.steps.protocol import LockPolicy
from app.steps.retry import rung_ms
from app.steps.sql_run import LIMITS, with_limits_of
from app.steps.units import Unit, units_of

#: Statements that are treated alike, since they wait for others and make others wait in the same way.
Class = Literal["strong lock", "data", "build", "detach", "repeatable", "batch", "check", "nothing"]

_SENTENCES: dict[Class, str] = {
    "strong lock": (
        "Old transactions are waited for outside the lock queue, up to {patience}. Then each lock, and all locks of a statement "
        "together, are waited for {first} at first and {lock} at most, up to {attempts} times; an autovacuum in the way is "
        "outlasted. It gives way when those behind it have waited {tolerance} together{sessions}."
    ),
    "data": (
        "A row lock is waited for {first} at first and {lock} at most, up to {attempts} times. It gives way when those behind it "
        "have waited {tolerance} together{sessions}."
    ),
    "build": (
        "No lock_timeout, which would leave an INVALID index: old snapshots are waited for before it begins, up to {patience}, "
        "and in its middle for as long again. It makes no reader and no writer wait."
    ),
    "detach": (
        "Old transactions and snapshots are waited for before it begins, up to {patience}. Its second half gives way when those "
        "behind it have waited {tolerance} together{sessions}; FINALIZE then waits for its lock {lock} at most, up to {attempts} "
        "times."
    ),
    "repeatable": (
        "Old transactions are waited for outside the lock queue, up to {patience}. Its lock is waited for {first} at first and "
        "{lock} at most, up to {attempts} times."
    ),
    "batch": (
        "Each batch waits for a row lock 250 ms at most, and takes less than half of the server's deadlock_timeout with it. An "
        "old snapshot is waited for up to {patience}."
    ),
    "check": "Read-only; it stops after {check}.",
    "nothing": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What holds for some statements of a step."""

    name: Class
    #: of the step, from 1; empty where the step has none
    statements: tuple[int, ...]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLimits:
    """What holds for one step."""

    policy: LockPolicy
    #: names of LockPolicy's fields that the step says otherwise than the target
    from_step: tuple[str, ...]
    classes: tuple[Limits, ...]

    def as_json(self) -> dict[str, object]:
        """For scripts: the figures, whose they are, and the sentence of each class."""
        return {
            "limits": {name: getattr(self.policy, name) for name in LIMITS},
            "from_step": list(self.from_step),
            "classes": [
                {"class": found.name, "statements": list(found.statements), "policy": found.sentence} for found in self.classes
            ],
        }


def limits_of(step: Step, policy: LockPolicy) -> StepLimits:
    """The limits of a step under a target's policy.

    Raises StepRefusedError and SqlSyntaxError where its SQL can't be run.
    """
    own = with_limits_of(step, policy)
    found: dict[Class, list[int]] = {}
    if step.kind == "sql":
        for unit in units_of(step.spec["sql"], share=step.spec.get("transaction", True)):
            for part in unit.parts:
                found.setdefault(class_of(unit), []).append(part.statement.index)
    else:
        found[_OTHER_KINDS.get(step.kind, "nothing")] = []
    classes = tuple(
        Limits(name=name, statements=tuple(members), sentence=_sentence(name, own, step)) for name, members in found.items()
    )
    return StepLimits(
        policy=own,
        from_step=tuple(name for name in LIMITS if step.spec.get(name) is not None),
        classes=tuple(limits for limits in classes if limits.sentence),
    )


def class_of(unit: Unit) -> Class:
    """How the statements of a unit are treated."""
    if unit.way != "transaction":
        return {"index": "build", "detach": "detach", "repeat": "repeatable"}[unit.way]  # type: ignore[return-value]  # its values are
    return "strong lock" if wanted_locks(unit.parts) else "data"


_OTHER_KINDS: dict[str, Class] = {"backfill": "batch", "check": "check"}


def _sentence(name: Class, policy: LockPolicy, step: Step) -> str:
    text = _SENTENCES[name].format(
        patience=span(policy.patience_ms),
        first=span(rung_ms(0, policy)),
        lock=span(policy.lock_timeout_ms),
        attempts=policy.attempts,
        tolerance=span(policy.queue_tolerance_ms),
        sessions=f", or when they are {policy.queue_sessions}" if policy.queue_sessions else "",
        check=span(int(step.spec.get("timeout_ms") or 60_000)),
    )
    if name in {"batch", "check", "nothing"}:
        return text
    if policy.statement_timeout_ms:
        text += f" One statement stops after {span(policy.statement_timeout_ms)}."
    if policy.transaction_timeout_ms and name in {"strong lock", "data"}:
        text += f" The transaction stops after {span(policy.transaction_timeout_ms)} (PostgreSQL 17 and newer)."
    return text


def span(milliseconds: int) -> str:
    """``250 ms``, ``2 s``, ``10 min``: as plans write durations; 0 is "without limit"."""
    for unit, name in ((3_600_000, "h"), (60_000, "min"), (1000, "s")):
        if milliseconds >= unit and milliseconds % unit == 0:
            return f"{milliseconds // unit} {name}"
    return f"{milliseconds} ms" if milliseconds else "without limit"
