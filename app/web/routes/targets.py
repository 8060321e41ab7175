"""Databases and their health."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from app.actions import reach, wording
from app.actions.add_target import add_target
from app.actions.edit_target import edit_target
from app.actions.permissions import Permission
from app.actions.read_schema import read_schema
from app.actions.retire_target import retire_target
from app.actions.test_target import test_target
from app.actions.work import Work
from app.errors import InvalidInputError
from app.store.tables import Environment, Project, Target
from app.web.dependencies import Page, Pages, SignedIn, go_to, undo
from app.web.forms import SentForm
from app.web.views import targets as view

router = APIRouter(prefix="/targets", include_in_schema=False)
UNPROCESSABLE = 422
LONGEST_DSN = 4000


@router.get("")
def index(work: SignedIn, page: Page) -> HTMLResponse:
    """Every database by project and environment."""
    return page.show("targets/index.html", projects=view.projects(work), may_add_project=work.actor.is_admin)


@router.get("/new")
def new(work: SignedIn, page: Page, environment: int) -> HTMLResponse:
    """The form of a new database."""
    found = reach.environment(work, environment, Permission.EDIT_TARGETS)
    return _form(work, page, found, None, name="", errors={})


@router.post("")
def add(work: SignedIn, page: Page, form: SentForm) -> Response:
    """Register a database; a worker tests it."""
    environment = reach.environment(work, form.number("environment_id"), Permission.EDIT_TARGETS)
    name, dsn = form.text("name"), form.text("dsn", longest=LONGEST_DSN)
    try:
        target = add_target(work, environment_id=environment.id, name=name, dsn=dsn)
    except InvalidInputError as error:
        undo(work)
        return _form(work, page, environment, None, name=name, errors=error.fields)
    return go_to(f"/targets/{target.id}")


@router.get("/{target_id}")
def show(work: SignedIn, page: Page, target_id: int, table: str = "") -> HTMLResponse:
    """One database."""
    found = view.target_page(work, target_id, search=table)
    return page.show("targets/show.html", page=found, search=table, refresh_seconds=2 if found.open_job else None)


@router.get("/{target_id}/edit")
def edit(work: SignedIn, page: Page, target_id: int) -> HTMLResponse:
    """The form of a database that is there."""
    target = reach.target(work, target_id, Permission.EDIT_TARGETS)
    return _form(work, page, work.session.get_one(Environment, target.environment_id), target, name=target.name, errors={})


@router.post("/{target_id}/edit")
def save(work: SignedIn, page: Page, target_id: int, form: SentForm) -> Response:
    """Change the name or the connection."""
    target = reach.target(work, target_id, Permission.EDIT_TARGETS)
    name, dsn = form.text("name"), form.text("dsn", longest=LONGEST_DSN)
    try:
        edit_target(work, target_id=target_id, name=name, dsn=dsn)
        if dsn:
            test_target(work, target_id=target_id)
    except InvalidInputError as error:
        undo(work)
        environment = work.session.get_one(Environment, target.environment_id)
        return _form(work, page, environment, target, name=name, errors=error.fields)
    return go_to(f"/targets/{target_id}", None if dsn else "saved")


@router.post("/{target_id}/test")
def test(work: SignedIn, target_id: int) -> Response:
    """Have the connection tested."""
    test_target(work, target_id=target_id)
    return go_to(f"/targets/{target_id}#health")


@router.post("/{target_id}/read-schema")
def look(work: SignedIn, target_id: int) -> Response:
    """Have the schema read again."""
    read_schema(work, target_id=target_id)
    return go_to(f"/targets/{target_id}#health")


@router.post("/{target_id}/retire")
def retire(work: SignedIn, page: Page, target_id: int, form: SentForm) -> Response:
    """Retire a database, after its name was typed."""
    target = reach.target(work, target_id, Permission.EDIT_TARGETS)
    try:
        wording.typed(form.text("confirm"), target.name, "confirm", "the database")
    except InvalidInputError as error:
        environment = work.session.get_one(Environment, target.environment_id)
        return _form(work, page, environment, target, name=target.name, errors=error.fields)
    retire_target(work, target_id=target_id)
    return go_to(f"/targets/{target_id}", "saved")


def _form(
    work: Work, page: Pages, environment: Environment, target: Target | None, *, name: str, errors: dict[str, str]
) -> HTMLResponse:
    """The form, never with a connection string in it: what was typed has to be typed again."""
    return page.show(
        "targets/form.html",
        status=UNPROCESSABLE if errors else 200,
        target=target,
        environment=environment,
        project=work.session.get_one(Project, environment.project_id),
        values={"name": name, "dsn": ""},
        errors=errors,
    )
