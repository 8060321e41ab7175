"""What a plan did on a shadow of its target."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from app.actions.permissions import Permission
from app.store.words import OPEN
from app.web.dependencies import Page, SignedIn
from app.web.routes.plans import TargetQuery
from app.web.views.plan_head import plan_head
from app.web.views.rehearsals import rehearsal_page
from app.web.views.standing import standing

router = APIRouter(include_in_schema=False)


@router.get("/plans/{plan_id}/rehearsal")
def show(work: SignedIn, page: Page, plan_id: int, target: TargetQuery = None) -> HTMLResponse:
    """The newest rehearsal of the newest revision, for the plan's target or another one."""
    now = standing(work, plan_id, target)
    head = plan_head(work, now)
    row = now.rehearsal
    is_moving = row is not None and row.state in OPEN
    return page.show(
        "rehearsals/show.html",
        head=head,
        tab="rehearsal",
        row=row,
        is_moving=is_moving,
        seen=rehearsal_page(row.result) if row is not None and row.result else None,
        may_rehearse=work.actor.may(now.plan.project_id, Permission.REHEARSE) and now.target is not None and not is_moving,
        has_shadow=work.settings.shadow_url is not None,
        refresh_seconds=2 if is_moving else None,
    )
