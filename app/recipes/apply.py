"""A recipe put into a plan: one statement goes, its steps come; what stood around it stays around it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.catalog.records import Schema
from app.errors import HeadgateError
from app.plan.model import PhaseName, Plan, Rollback, Step
from app.recipes.draft import Placed, script
from app.recipes.placing import placed
from app.recipes.recipe import Recipe
from app.recipes.site import joined_commands, single_commands
from app.sql.inverse import Deriver
from app.sql.split import Statement, split

_LONGEST_ID = 100


class RecipeNotForThisError(HeadgateError):
    """The statement is not (any more) one that the recipe is for."""

    status = 409


def version_of(schema: Schema | None) -> int:
    """The major version of the server that a catalog was read from; the newest where there is none."""
    return schema.server_version_num // 10_000 if schema else 18


def apply(plan: Plan, step_id: str, statement_index: int, recipe: Recipe, schema: Schema | None) -> Plan:
    """The plan with one statement (from 1, within its step) replaced by the recipe's steps.

    Raises RecipeNotForThisError where the plan has no such statement, or the recipe does not fit it.
    """
    step, phase = _find(plan, step_id)
    statements = split(str(step.spec["sql"]), file=step.source_file) if step.kind == "sql" else []
    if not 1 <= statement_index <= len(statements):
        raise RecipeNotForThisError(
            f"Step {step_id} has no statement {statement_index}.", hint="Load the page again: the plan may have changed."
        )
    asked = single_commands(statements[statement_index - 1])
    place = next((at for at, one in enumerate(asked) if recipe.matches(one, schema, version_of(schema))), None)
    if place is None:
        raise RecipeNotForThisError(
            f'"{recipe.title}" is not for this statement: {statements[statement_index - 1].text[:120]}',
            hint="Load the page again: the plan or the target's schema may have changed.",
        )
    front = [*statements[: statement_index - 1], *_joined(asked[:place])]
    rest = [*_joined(asked[place + 1 :]), *statements[statement_index:]]
    new = recipe.draft(asked[place], schema, version_of(schema))
    every = [(name.name, each) for name in plan.phases for each in name.steps]
    position = next(at for at, (_, each) in enumerate(every) if each.id == step_id)
    taken = {each.id for each in plan.steps()}
    deriver = _derived_before(schema, [each for _, each in every[:position]])
    head = _part(step, front, step_id, deriver)
    deriver.rollback([asked[place]])
    tail = _part(step, rest, _free(f"{step_id}-rest", taken), deriver)
    own = list(_named(new.done(), step, taken, step_id if head is None else None))
    ids = {old.id: each.id for (_, old), (_, each) in zip(new.done(), own, strict=True)}
    answered = tuple(replace(risk, step=ids[risk.step or ""]) for risk in new.answered())
    before = [*every[:position], *([(phase, head)] if head else [])]
    behind: list[Placed] = [*([(phase, tail)] if tail else []), *every[position + 1 :]]
    return replace(plan, phases=placed(before, own, behind), accepted=(*plan.accepted, *answered))


def _find(plan: Plan, step_id: str) -> tuple[Step, PhaseName]:
    try:
        return plan.step(step_id), plan.phase_of(step_id)
    except KeyError:
        raise RecipeNotForThisError(
            f"The plan has no step {step_id}.", hint="Load the page again: the plan may have changed."
        ) from None


def _joined(statements: Sequence[Statement]) -> list[Statement]:
    return [joined_commands(statements)] if statements else []


def _derived_before(schema: Schema | None, steps: Sequence[Step]) -> Deriver:
    """A deriver that has seen what the steps before do."""
    deriver = Deriver(schema)
    for step in steps:
        if step.kind == "sql":
            deriver.rollback(split(str(step.spec["sql"])))
    return deriver


def _part(step: Step, statements: Sequence[Statement], step_id: str, deriver: Deriver) -> Step | None:
    """What stays of the step on one side of the statement; its way back is derived anew, since a script can't be cut in two."""
    if not statements:
        return None
    rollback = deriver.rollback(statements)
    if rollback.sql is None and rollback.grade == "irreversible":
        reason = f"{rollback.reason} The step was cut in two for a recipe: write the way back of this part."
        rollback = Rollback(grade="irreversible", reason=reason.strip(), origin="derived")
    sql = script(*(statement.text for statement in statements))
    return replace(step, id=step_id, spec={**step.spec, "sql": sql}, rollback=rollback)


def _named(steps: Sequence[Placed], origin: Step, taken: set[str], freed: str | None) -> Iterator[Placed]:
    """The recipe's steps with ids that are unique in the plan, and with the place they came from."""
    names = taken - {freed}
    for phase, step in steps:
        step_id = _free(f"{origin.id}-{step.id}", names)
        names.add(step_id)
        limits = {
            name: origin.spec[name]
            for name in ("lock_timeout_ms", "statement_timeout_ms", "attempts")
            if step.kind == "sql" and name in origin.spec
        }
        yield (
            phase,
            replace(
                step,
                id=step_id,
                spec={**step.spec, **limits},
                source_file=origin.source_file,
                source_line=origin.source_line,
            ),
        )


def _free(wanted: str, taken: set[str]) -> str:
    base = re.sub(r"-{2,}", "-", wanted).strip("-")[:_LONGEST_ID]
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base[: _LONGEST_ID - len(str(number)) - 1]}-{number}"
    return name
