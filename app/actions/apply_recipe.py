"""Put a recipe in the place of a risky statement: looked at first as a difference, then kept as a new revision."""

from app.actions import reach
from app.actions.drafting import last_schema
from app.actions.permissions import Permission
from app.actions.revising import revise
from app.actions.work import Work
from app.errors import MovedMeanwhileError, NotFoundError
from app.plan.model import Plan as Content
from app.recipes.apply import apply
from app.recipes.recipe import Recipe
from app.recipes.registry import RECIPES
from app.store import plans
from app.store.tables.plans import Plan, PlanRevision


def preview_recipe(work: Work, *, plan_id: int, step: str, statement: int, recipe: str) -> tuple[Recipe, Content]:
    """The recipe, and the plan's newest revision as it would be with it; nothing is kept.

    Raises NotFoundError, NotAllowedError, RecipeNotForThisError.
    """
    plan = reach.plan(work, plan_id, Permission.WRITE_PLAN)
    return _recipe(recipe), _applied(work, plan, step, statement, recipe)


def apply_recipe(work: Work, *, plan_id: int, based_on: str, step: str, statement: int, recipe: str) -> PlanRevision:
    """Replace one statement of a step (from 1) by the recipe's steps: a new revision.

    ``based_on`` is the digest of the revision that the page showed. Raises NotFoundError, NotAllowedError,
    RecipeNotForThisError, MovedMeanwhileError.
    """
    plan = reach.plan(work, plan_id, Permission.WRITE_PLAN, held=True)
    newest = plans.current(work.session, plan)
    if newest.digest != based_on:
        raise MovedMeanwhileError(
            f"Revision {newest.number} was made meanwhile: yours was based on an older one.",
            hint="Load the page again, and look at what the recipe makes of the newest revision.",
        )
    content = _applied(work, plan, step, statement, recipe)
    note = f"Recipe {recipe} for step {step}: {_recipe(recipe).title}"
    return revise(work, plan, content, based_on=based_on, note=note)


def _recipe(name: str) -> Recipe:
    if name not in RECIPES:
        raise NotFoundError(f"There is no recipe {name}.", hint=f"There are {', '.join(RECIPES)}.")
    return RECIPES[name]


def _applied(work: Work, plan: Plan, step: str, statement: int, recipe: str) -> Content:
    content = plans.content(plans.current(work.session, plan))
    return apply(content, step, statement, _recipe(recipe), last_schema(work.session, plan.target_id))
