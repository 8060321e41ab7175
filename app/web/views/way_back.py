"""What may be rolled back of a run: everything, a phase, or a step, each with what it would undo and where it would stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.plan.model import Plan as Content
from app.plan.way_back import way_back
from app.run.states import StepState
from app.store.tables import RunStep
from app.web.formats import plural

#: a step that failed or was interrupted may have committed some of its units
_TOUCHED = frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.RUNNING, StepState.WAITING})
_LOSES = {"loses-new-writes": " What the application wrote into the new objects since is lost."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing that can be rolled back."""

    #: "all", "phase" or "step", and which one
    scope: str
    of: str
    label: str
    undoes: tuple[str, ...]
    #: the step that can't be undone, and the steps that stay done with it
    stops_at: str | None
    remains: tuple[str, ...]
    sentence: str

    @property
    def is_step(self) -> bool:
        """Whether it is one step alone."""
        return self.scope == "step"

    @property
    def value(self) -> str:
        """As a form sends it."""
        return f"{self.scope}:{self.of}" if self.of else self.scope

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "scope": self.scope,
            "of": self.of,
            "undoes": list(self.undoes),
            "stops_at": self.stops_at,
            "remains": list(self.remains),
            "sentence": self.sentence,
        }


def choices(content: Content, steps: Sequence[RunStep]) -> tuple[Choice, ...]:
    """What is there to undo, the whole run first; a phase or step that changed nothing is left out."""
    done = [step.step_id for step in steps if step.state in _TOUCHED]
    found = [_choice(content, "all", "", "Everything", done)]
    phases = [phase for phase in content.phases if {step.id for step in phase.steps} & set(done)]
    for phase in phases if len(phases) > 1 else ():
        inside = [step.id for step in phase.steps if step.id in done]
        found.append(_choice(content, "phase", phase.name, f"Only the phase {phase.name}", inside))
    changed = [step for step in content.steps() if step.id in done]
    if len(changed) > 1:
        found += [_choice(content, "step", step.id, f"Only “{step.title}”", [step.id]) for step in changed]
    return tuple(choice for choice in found if choice is not None)


def _choice(content: Content, scope: str, of: str, label: str, done: list[str]) -> Choice | None:
    back = way_back(content, done)
    if not back.undone and back.stops_at is None:
        return None
    titles = ", ".join(f"“{step.title}”" for step in back.undone)
    sentence = f"Undoes {plural(len(back.undone), 'step')}, the last one first: {titles}." if back.undone else "Undoes nothing."
    sentence += _LOSES.get(back.grade, "")
    if back.stops_at is not None:
        stays = "".join(f", “{step.title}”" for step in back.remains)
        sentence += f" It stops at “{back.stops_at.title}”, which can't be undone: {back.reason} What stays done is that{stays}."
    return Choice(
        scope=scope,
        of=of,
        label=label,
        undoes=tuple(step.id for step in back.undone),
        stops_at=back.stops_at.id if back.stops_at else None,
        remains=tuple(step.id for step in back.remains),
        sentence=sentence,
    )
