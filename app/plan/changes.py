"""What differs between two revisions of a plan, for reviewers and for approvals that no longer hold."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from app.plan.model import Plan, Rollback, Step
from app.plan.writing import write_value

ChangeKind = Literal["added", "removed", "moved", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference, as a reviewer reads it."""

    kind: ChangeKind
    #: "step", "brief", "accepted" or "name"
    of: Literal["step", "brief", "accepted", "name"]
    #: the step's id, the section of the brief, or the rule
    what: str
    #: one sentence
    sentence: str
    #: lines of a unified diff, each with its mark: " ", "+", "-" or "@@ ..."
    lines: tuple[str, ...] = ()

    @property
    def changes_what_runs(self) -> bool:
        """True where the database would get other statements, in another order, or another way back."""
        return self.of == "step"


def differences(old: Plan, new: Plan) -> list[Change]:
    """What changed from the old revision to the new one: steps in the order of the new plan, then the rest."""
    return [*_steps(old, new), *_accepted(old, new), *_brief(old, new), *_names(old, new)]


def _steps(old: Plan, new: Plan) -> Iterator[Change]:
    before = {step.id: step for step in old.steps()}
    after = {step.id: step for step in new.steps()}
    moved = _moved(old, new)
    for step in new.steps():
        if step.id not in before:
            phase = new.phase_of(step.id)
            text = _text(step)
            yield Change(
                kind="added", of="step", what=step.id, sentence=f"Step {step.id} is new, in {phase}.", lines=_diff("", text)
            )
            continue
        if step.id in moved:
            yield Change(kind="moved", of="step", what=step.id, sentence=moved[step.id])
        yield from _step(before[step.id], step)
    for step in old.steps():
        if step.id not in after:
            lines = _diff(_text(step), "")
            yield Change(kind="removed", of="step", what=step.id, sentence=f"Step {step.id} is gone.", lines=lines)


def _moved(old: Plan, new: Plan) -> dict[str, str]:
    """Steps that run in another phase, or in another order among those that both plans have; the fewest that explain it."""
    old_ids, new_ids = [step.id for step in old.steps()], [step.id for step in new.steps()]
    common_old = [name for name in old_ids if name in set(new_ids)]
    common_new = [name for name in new_ids if name in set(old_ids)]
    blocks = difflib.SequenceMatcher(a=common_old, b=common_new, autojunk=False).get_matching_blocks()
    in_place = {common_new[block.b + offset] for block in blocks for offset in range(block.size)}
    moved = {}
    for name in common_new:
        was, now = old.phase_of(name), new.phase_of(name)
        if was != now:
            moved[name] = f"Step {name} moved from {was} to {now}."
        elif name not in in_place:
            position = common_new.index(name)
            place = f"after {common_new[position - 1]}" if position else "to the beginning"
            moved[name] = f"Step {name} moved {place}."
    return moved


def _step(old: Step, new: Step) -> Iterator[Change]:
    if (old.kind, old.spec, old.rollback) != (new.kind, new.spec, new.rollback):
        parts = [
            name
            for name, is_other in (
                ("kind", old.kind != new.kind),
                ("what it does", old.spec != new.spec),
                ("its way back", old.rollback != new.rollback),
            )
            if is_other
        ]
        sentence = f"Step {new.id} changed: {', '.join(parts)}."
        yield Change(kind="changed", of="step", what=new.id, sentence=sentence, lines=_diff(_text(old), _text(new)))
    elif old.title != new.title:
        sentence = f'Step {new.id} has another title: "{new.title}".'
        yield Change(kind="changed", of="name", what=new.id, sentence=sentence, lines=_diff(old.title, new.title))


def _text(step: Step) -> str:
    """A step as the lines that a reviewer compares: its SQL or its fields, then its way back."""
    parts = [value if name == "sql" else f"{name}: {_shown(value)}" for name, value in step.spec.items()]
    if step.rollback is not None:
        parts += _rollback(step.rollback)
    return "\n".join(part.rstrip() for part in parts)


def _rollback(rollback: Rollback) -> list[str]:
    head = f"-- way back: {rollback.grade}" + (f", {rollback.reason}" if rollback.reason else "")
    return [head] if rollback.sql is None else [head, rollback.sql]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else write_value(value)


def _diff(old: str, new: str) -> tuple[str, ...]:
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3))
    # the first two lines name files, which there are none of
    return tuple(lines[2:])


def _accepted(old: Plan, new: Plan) -> Iterator[Change]:
    before, after = set(old.accepted), set(new.accepted)
    for risk in sorted(after - before, key=lambda risk: (risk.rule, risk.step or "")):
        where = f" in step {risk.step}" if risk.step else ""
        sentence = f"The risk {risk.rule}{where} is accepted: {risk.reason}"
        yield Change(kind="added", of="accepted", what=risk.rule, sentence=sentence)
    for risk in sorted(before - after, key=lambda risk: (risk.rule, risk.step or "")):
        where = f" in step {risk.step}" if risk.step else ""
        yield Change(
            kind="removed", of="accepted", what=risk.rule, sentence=f"The risk {risk.rule}{where} is no longer accepted."
        )


def _brief(old: Plan, new: Plan) -> Iterator[Change]:
    for name in old.brief.__dataclass_fields__:
        before, after = getattr(old.brief, name), getattr(new.brief, name)
        if before != after:
            title = name.replace("_", " ").capitalize()
            yield Change(kind="changed", of="brief", what=name, sentence=f"{title} was rewritten.", lines=_diff(before, after))


def _names(old: Plan, new: Plan) -> Iterator[Change]:
    if old.name != new.name:
        sentence = f'The plan is now called "{new.name}".'
        yield Change(kind="changed", of="name", what="name", sentence=sentence, lines=_diff(old.name, new.name))
    if old.tool != new.tool:
        sentence = f"The plan belongs to the tool {new.tool or '(none)'}, before {old.tool or '(none)'}."
        yield Change(kind="changed", of="name", what="tool", sentence=sentence)
