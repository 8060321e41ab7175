"""What a script looks up first: who it is, and which projects, targets and plans there are."""

from typing import Any

from fastapi import APIRouter

from app.store import targets
from app.web.dependencies import SignedIn
from app.web.views.plans import PlanFilter, plan_lines

router = APIRouter(tags=["lists"])


@router.get("/me")
def me(work: SignedIn) -> dict[str, Any]:
    """Who is signed in, with the role in each project."""
    actor = work.actor
    roles = {str(project_id): role.value for project_id, role in actor.roles.items()}
    return {"id": actor.person_id, "name": actor.name, "is_admin": actor.is_admin, "roles": roles}


@router.get("/projects")
def projects(work: SignedIn) -> dict[str, Any]:
    """Every project in sight, with its environments in promotion order and its targets."""
    seen = targets.projects(work.session, None if work.actor.is_admin else set(work.actor.roles))
    return {"projects": [_project(work, project.id, project.name) for project in seen]}


def _project(work: SignedIn, project_id: int, name: str) -> dict[str, Any]:
    environments = targets.environments(work.session, project_id)
    return {
        "id": project_id,
        "name": name,
        "environments": [{"id": row.id, "name": row.name, "is_production": row.is_production} for row in environments],
        "targets": [
            {"id": target.id, "name": target.name, "environment_id": row.id, "server_version": target.server_version}
            for target, row in targets.of_project(work.session, project_id)
        ],
    }


@router.get("/plans")
def plans(work: SignedIn, q: str = "", state: str = "", page: int = 1) -> dict[str, Any]:
    """Plans in sight, those changed last first; archived ones where ``state`` asks for them."""
    lines, paging = plan_lines(work, PlanFilter(q=q, state=state), page)
    return {
        "plans": [
            {"id": line.id, "name": line.name, "state": line.state.value, "risk": line.risk, "target": line.target}
            for line in lines
        ],
        "total": paging.total,
        "pages": paging.pages,
    }
