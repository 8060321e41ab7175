"""Signing in, projects, environments, targets, people, and the jobs that workers do for them."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from app.actions.add_target import add_target
from app.actions.create_environment import create_environment
from app.actions.create_first_admin import create_first_admin
from app.actions.create_project import create_project
from app.actions.invite_person import invite_person
from app.actions.permissions import Permission
from app.actions.read_schema import read_schema
from app.actions.sign_in import sign_in
from app.actions.test_target import test_target
from app.errors import NotFoundError
from app.store.tables import Job, Target
from app.web.dependencies import Anyone, SignedIn
from app.web.sign_ins import address_of, keep_sign_in
from app.web.views.estimates import estimates_page

router = APIRouter(tags=["set-up"])


class FirstAdmin(BaseModel):
    """The first account, which may do everything."""

    email: str
    name: str
    password: str


class Credentials(BaseModel):
    """An address and a password."""

    email: str
    password: str


class NewProject(BaseModel):
    """An application."""

    name: str


class NewEnvironment(BaseModel):
    """A stage of the promotion; it comes after those that are there."""

    project_id: int
    name: str
    is_production: bool = False
    policy: dict[str, Any] | None = None


class NewTarget(BaseModel):
    """A database."""

    environment_id: int
    name: str
    dsn: str = Field(description="libpq URI or keyword string; sealed before it is kept, never answered")


class Invitation(BaseModel):
    """A person with a role in a project."""

    project_id: int
    email: str
    name: str = ""
    role: str
    password: str | None = None


@router.post("/first-admin", status_code=201)
def first_admin(work: Anyone, body: FirstAdmin) -> dict[str, Any]:
    """Make the administrator while there is no account at all."""
    return {"id": create_first_admin(work, email=body.email, name=body.name, password=body.password).id}


@router.post("/sign-in")
def api_sign_in(request: Request, work: Anyone, body: Credentials) -> JSONResponse:
    """Sign in; the cookie of the answer signs further requests."""
    request.app.state.sign_in_limit.count(email=body.email, address=address_of(request))
    signed = sign_in(work, email=body.email, password=body.password, user_agent=request.headers.get("user-agent", ""))
    answer = JSONResponse({"id": signed.actor.person_id, "name": signed.actor.name})
    keep_sign_in(answer, signed.token, work.settings)
    return answer


@router.post("/projects", status_code=201)
def add_project(work: SignedIn, body: NewProject) -> dict[str, Any]:
    """Make a project."""
    project = create_project(work, name=body.name)
    return {"id": project.id, "slug": project.slug}


@router.post("/environments", status_code=201)
def add_environment(work: SignedIn, body: NewEnvironment) -> dict[str, Any]:
    """Make an environment."""
    made = create_environment(
        work, project_id=body.project_id, name=body.name, is_production=body.is_production, policy=body.policy
    )
    return {"id": made.id, "position": made.position, "policy": made.policy}


@router.post("/people", status_code=201)
def invite(work: SignedIn, body: Invitation) -> dict[str, Any]:
    """Give a person a role; a generated password is answered once."""
    invited = invite_person(
        work, project_id=body.project_id, email=body.email, role=body.role, name=body.name, password=body.password
    )
    return {"id": invited.person.id, "password": None if body.password else invited.password}


@router.post("/targets", status_code=201)
def register_target(work: SignedIn, body: NewTarget) -> dict[str, Any]:
    """Register a database; a worker tests it."""
    target = add_target(work, environment_id=body.environment_id, name=body.name, dsn=body.dsn)
    return {"id": target.id, "where": target.dsn_summary}


@router.post("/targets/{target_id}/test", status_code=202)
def start_test(work: SignedIn, target_id: int) -> dict[str, Any]:
    """Queue a connection test."""
    return {"job": test_target(work, target_id=target_id).id}


@router.post("/targets/{target_id}/read-schema", status_code=202)
def look(work: SignedIn, target_id: int) -> dict[str, Any]:
    """Ask a worker to read the schema and the sizes again."""
    return {"job": read_schema(work, target_id=target_id).id}


@router.get("/targets/{target_id}")
def show_target(work: SignedIn, target_id: int) -> dict[str, Any]:
    """What is known about a database; never its connection string."""
    row = work.session.get(Target, target_id)
    if row is None:
        raise NotFoundError("There is no such target.")
    work.actor.require(row.project_id, Permission.VIEW)
    return {
        "id": row.id,
        "name": row.name,
        "where": row.dsn_summary,
        "server_version": row.server_version,
        "capabilities": row.capabilities,
        "last_checked_at": row.last_checked_at,
        "error": row.last_error,
        "schema_fingerprint": row.schema_fingerprint,
    }


@router.get("/jobs/{job_id}")
def show_job(work: SignedIn, job_id: int) -> dict[str, Any]:
    """How far a worker is with a job."""
    row = work.session.get(Job, job_id)
    if row is None or (row.requested_by != work.actor.person_id and not work.actor.is_admin):
        raise NotFoundError("There is no such job of yours.")
    return {"id": row.id, "kind": row.kind, "state": row.state, "progress": row.progress, "error": row.error}


@router.get("/targets/{target_id}/estimates")
def show_estimates(work: SignedIn, target_id: int) -> dict[str, Any]:
    """What was predicted on a target, what it took, and the rates that were learned from it."""
    return dict(estimates_page(work, target_id).as_json())
