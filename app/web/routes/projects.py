"""Projects, their environments, and the rules of each."""

from types import SimpleNamespace
from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from app.actions import reach
from app.actions.create_environment import create_environment
from app.actions.create_project import create_project
from app.actions.edit_environment import edit_environment
from app.actions.permissions import Permission
from app.actions.starting import frozen_limits
from app.actions.wording import COLORS
from app.errors import InvalidInputError
from app.plan.checklist import DEFAULT_CHECKLIST
from app.review.policy import EnvironmentPolicy
from app.review.roles import Role
from app.store.tables import Environment, Project
from app.web.dependencies import Page, Pages, SignedIn, go_to, undo
from app.web.forms import Form, SentForm

router = APIRouter(include_in_schema=False)
UNPROCESSABLE = 422


@router.get("/projects/new")
def new_project(work: SignedIn, page: Page) -> HTMLResponse:
    """The form of a new project."""
    work.actor.require_admin("create projects")
    return page.show("targets/project_form.html", values={"name": "", "with_environments": True}, errors={})


@router.post("/projects")
def add_project(work: SignedIn, page: Page, form: SentForm) -> Response:
    """Add a project, with the usual two environments where the form says so."""
    name, with_environments = form.text("name"), form.flag("with_environments")
    try:
        project = create_project(work, name=name)
        if with_environments:
            create_environment(work, project_id=project.id, name="staging")
            create_environment(work, project_id=project.id, name="production", is_production=True)
    except InvalidInputError as error:
        undo(work)
        values = {"name": name, "with_environments": with_environments}
        return page.show("targets/project_form.html", status=UNPROCESSABLE, values=values, errors=error.fields)
    return go_to("/targets", "project-ready" if with_environments else "project-added")


@router.get("/projects/{project_id}/environments/new")
def new_environment(work: SignedIn, page: Page, project_id: int) -> HTMLResponse:
    """The form of a new environment."""
    project = reach.project(work, project_id, Permission.EDIT_TARGETS)
    return _environment_form(page, project, None, {"name": "", "color": "blue", "is_production": False}, {})


@router.post("/projects/{project_id}/environments")
def add_environment(work: SignedIn, page: Page, project_id: int, form: SentForm) -> Response:
    """Add an environment."""
    project = reach.project(work, project_id, Permission.EDIT_TARGETS)
    values: dict[str, Any] = {"name": form.text("name"), "color": form.text("color"), "is_production": form.flag("is_production")}
    try:
        environment = create_environment(work, project_id=project_id, **values)
    except InvalidInputError as error:
        undo(work)
        return _environment_form(page, project, None, values, error.fields)
    return go_to(f"/environments/{environment.id}", "environment-added")


@router.get("/environments/{environment_id}")
def show_environment(work: SignedIn, page: Page, environment_id: int) -> HTMLResponse:
    """The rules of an environment."""
    environment = reach.environment(work, environment_id, Permission.EDIT_TARGETS)
    project = work.session.get_one(Project, environment.project_id)
    values = {"name": environment.name, "color": environment.color, "is_production": environment.is_production}
    return _environment_form(page, project, environment, values, {})


@router.post("/environments/{environment_id}")
def save_environment(work: SignedIn, page: Page, environment_id: int, form: SentForm) -> Response:
    """Change an environment and its rules."""
    environment = reach.environment(work, environment_id, Permission.EDIT_TARGETS)
    values: dict[str, Any] = {"name": form.text("name"), "color": form.text("color"), "is_production": form.flag("is_production")}
    try:
        edit_environment(work, environment_id=environment_id, policy=_policy(form), **values)
    except InvalidInputError as error:
        undo(work)
        environment = work.session.get_one(Environment, environment_id)
        project = work.session.get_one(Project, environment.project_id)
        return _environment_form(page, project, environment, values, error.fields, typed=form)
    return go_to("/targets", "policy-saved")


def _policy(form: Form) -> dict[str, Any]:
    """The rules as the form has them; what is wrong with them is said by the policy itself."""
    kept = ("backups_kept_newest", "backups_kept_days")
    numbers = ("backup_max_age_minutes", "preflight_timeout_ms", *kept, *frozen_limits(EnvironmentPolicy()))
    return {
        "approvals": {risk: form.text(f"approvals_{risk}") for risk in ("low", "medium", "high")},
        "approver_role": form.text("approver_role"),
        "checklist": [line for line in form.long_text("checklist").splitlines() if line.strip()],
        "windows": [line.split() for line in form.long_text("windows").splitlines() if line.strip()],
        "profile": form.text("profile"),
        "severities": [line.replace("=", " ").split() for line in form.long_text("severities").splitlines() if line.strip()],
        **{name: form.flag(name) for name in ("backup_required", "rehearsal_required", "staging_first", "shows_rows")},
        **{name: form.text(name) for name in numbers},
    }


def _environment_form(
    page: Pages,
    project: Project,
    environment: Environment | None,
    values: dict[str, Any],
    errors: dict[str, str],
    *,
    typed: Form | None = None,
) -> HTMLResponse:
    """The form; after a refusal with everything as it was ``typed``."""
    policy = EnvironmentPolicy.from_json(environment.policy) if environment else EnvironmentPolicy()
    items = policy.checklist if policy.checklist is not None else [item.id for item in DEFAULT_CHECKLIST]
    texts = {
        "windows": "\n".join(" ".join(window.as_json()) for window in policy.windows),
        "checklist": "\n".join(items),
        "severities": "\n".join(f"{rule} {level}" for rule, level in sorted(policy.severities.items())),
    }
    if typed is not None:
        texts = {name: typed.long_text(name) for name in texts}
    return page.show(
        "targets/environment_form.html",
        status=UNPROCESSABLE if errors else 200,
        project=project,
        environment=environment,
        values=values,
        policy=policy if typed is None else SimpleNamespace(**_policy(typed)),
        errors=errors,
        colors=[(color, color) for color in COLORS],
        roles=[(role.value, role.value) for role in Role],
        own_items=[item.id for item in DEFAULT_CHECKLIST],
        **texts,
    )
