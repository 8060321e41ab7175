"""Which recipes are offered for a plan: those that fit a statement that the rules found risky."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.analysis.report import Analysis, StatementReport
from app.catalog.records import Schema
from app.errors import HeadgateError
from app.plan.model import Plan
from app.recipes.apply import version_of
from app.recipes.recipe import Recipe
from app.recipes.registry import RECIPES
from app.recipes.site import single_commands
from app.sql.split import Statement, split


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A recipe for one statement of a plan."""

    step: str
    #: from 1, within the step
    statement: int
    recipe: str
    title: str
    sentence: str


def recipes_for(report: Analysis, plan: Plan, schema: Schema | None) -> tuple[Offer, ...]:
    """What can be offered, in the order of the report; nothing for statements that disturb nobody or whose risk is accepted."""
    scripts: dict[str, list[Statement]] = {}
    offers: list[Offer] = []
    for found in report.statements:
        if found.step is None or not _is_risky(found):
            continue
        if found.step not in scripts:
            scripts[found.step] = _statements(plan, found.step)
        statements = scripts[found.step]
        if found.index <= len(statements) and statements[found.index - 1].text == found.sql:
            offers += (_offer(found, recipe) for recipe in _fitting(statements[found.index - 1], schema))
    return tuple(offers)


def _is_risky(found: StatementReport) -> bool:
    return any(finding.accepted is None and finding.risk != "low" for finding in found.findings)


def _statements(plan: Plan, step_id: str) -> list[Statement]:
    try:
        return split(str(plan.step(step_id).spec.get("sql", "")))
    except (KeyError, HeadgateError):
        return []


def _fitting(statement: Statement, schema: Schema | None) -> Iterator[Recipe]:
    pieces = single_commands(statement)
    for recipe in RECIPES.values():
        if any(recipe.matches(piece, schema, version_of(schema)) for piece in pieces):
            yield recipe


def _offer(found: StatementReport, recipe: Recipe) -> Offer:
    return Offer(step=found.step or "", statement=found.index, recipe=recipe.id, title=recipe.title, sentence=recipe.sentence)
