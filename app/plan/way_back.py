"""What a rollback of some steps would do: the steps it undoes, where it has to stop, and what stays done then. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from app.plan.model import Grade, Plan, Step

#: Kinds that change nothing on the target.
WITHOUT_EFFECT = frozenset({"check", "gate", "hook", "backup", "wait"})
_GRADES: tuple[Grade, ...] = ("lossless", "loses-new-writes", "irreversible")


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """A rollback as it would go."""

    #: in the order in which they are undone, the last step first
    undone: tuple[Step, ...]
    #: the step that can't be undone; None where nothing stops it
    stops_at: Step | None = None
    reason: str = ""
    #: what stays done because it comes before that step
    remains: tuple[Step, ...] = ()
    #: of the steps that are undone
    grade: Grade = "lossless"


def way_back(plan: Plan, done: Collection[str]) -> WayBack:
    """The rollback of the steps that are done, of all of them or of those in its scope."""
    steps = [step for step in reversed(list(plan.steps())) if step.id in done and step.kind not in WITHOUT_EFFECT]
    stop = next((number for number, step in enumerate(steps) if refusal_of(step) is not None), len(steps))
    undone = tuple(steps[:stop])
    grades = [step.rollback.grade for step in undone if step.rollback is not None]
    stopping = steps[stop] if stop < len(steps) else None
    return WayBack(
        undone=undone,
        stops_at=stopping,
        reason=(refusal_of(stopping) or "") if stopping else "",
        remains=tuple(steps[stop + 1 :]),
        grade=max(grades, key=_GRADES.index, default="lossless"),
    )


def refusal_of(step: Step) -> str | None:
    """Why the step can't be undone; None where it can, or where nothing has to be done."""
    rollback = step.rollback
    if step.kind in WITHOUT_EFFECT or (rollback is not None and (rollback.sql or rollback.grade != "irreversible")):
        return None
    return (rollback.reason if rollback else "") or "The plan says no way to undo it."
