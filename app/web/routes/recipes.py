"""A recipe for a risky statement: what it would make of the plan, then the new revision."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, Response

from app.actions import reach
from app.actions.apply_recipe import apply_recipe, preview_recipe
from app.actions.permissions import Permission
from app.plan.model import PHASES
from app.web.dependencies import Page, SignedIn, go_to
from app.web.forms import SentForm
from app.web.views import revisions
from app.web.views.plan_head import plan_head
from app.web.views.standing import standing

router = APIRouter(prefix="/plans/{plan_id}/recipes", include_in_schema=False)


@router.get("/{recipe}")
def show(
    work: SignedIn, page: Page, *, plan_id: int, recipe: str, step: str = "", statement: Annotated[int, Query(ge=1)] = 1
) -> HTMLResponse:
    """What the recipe would make of the plan."""
    found, content = preview_recipe(work, plan_id=plan_id, step=step, statement=statement, recipe=recipe)
    now = standing(work, plan_id)
    before = {each.id for each in now.content.steps()}
    return page.show(
        "recipes/show.html",
        head=plan_head(work, now),
        tab="analysis",
        recipe=found,
        step=step,
        statement=statement,
        phases=[
            (name, [each for phase in content.phases if phase.name == name for each in phase.steps if each.id not in before])
            for name in PHASES
        ],
        diff=revisions.diff_between(now.content, content),
    )


@router.post("/{recipe}")
def use(work: SignedIn, plan_id: int, recipe: str, form: SentForm) -> Response:
    """Put the recipe into the plan: a new revision."""
    reach.plan(work, plan_id, Permission.WRITE_PLAN)
    step, statement = form.text("step", required=True), form.number("statement", least=1)
    form.check()
    apply_recipe(work, plan_id=plan_id, based_on=form.text("base_digest"), step=step, statement=statement, recipe=recipe)
    return go_to(f"/plans/{plan_id}/steps", "recipe-applied")
