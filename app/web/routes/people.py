"""Members and roles."""

import secrets
from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from app.actions.change_role import change_role
from app.actions.deactivate_person import deactivate_person
from app.actions.invite_person import Invited, invite_person
from app.actions.set_password import set_password
from app.errors import InvalidInputError
from app.review.roles import Role
from app.store import people
from app.web.dependencies import Page, Pages, SignedIn, go_to, undo
from app.web.forms import SentForm
from app.web.views.people import administrators, project_people

router = APIRouter(prefix="/people", include_in_schema=False)
_PASSWORD_BYTES = 12
_EMPTY = {"project_id": "", "email": "", "name": ""}


@router.get("")
def index(work: SignedIn, page: Page) -> HTMLResponse:
    """Who may do what."""
    return _page(work, page)


def _page(
    work: SignedIn,
    page: Pages,
    *,
    invited: Invited | None = None,
    errors: dict[str, str] | None = None,
    values: dict[str, Any] | None = None,
) -> HTMLResponse:
    return page.show(
        "people/index.html",
        status=422 if errors else 200,
        projects=project_people(work),
        administrators=administrators(work),
        everybody=people.everybody(work.session) if work.actor.is_admin else None,
        roles=[role.value for role in Role],
        invited=invited,
        errors=errors,
        values=values or _EMPTY,
    )


@router.post("/invite")
def invite(work: SignedIn, page: Page, form: SentForm) -> Response:
    """Give somebody a role; a new account's password is on the answer and nowhere else."""
    values = {name: form.text(name) for name in ("project_id", "email", "name", "role")}
    try:
        project_id = form.number("project_id")
        form.check()
        invited = invite_person(work, project_id=project_id, email=values["email"], name=values["name"], role=values["role"])
    except InvalidInputError as error:
        undo(work)
        return _page(work, page, errors=error.fields, values=values)
    return _page(work, page, invited=invited)


@router.post("/role")
def set_role(work: SignedIn, form: SentForm) -> Response:
    """Give a member another role, or none."""
    project_id, person_id = form.number("project_id"), form.number("person_id")
    form.check()
    change_role(work, project_id=project_id, person_id=person_id, role=form.text("role") or None)
    return go_to("/people", "role-changed")


@router.post("/{person_id}/active")
def set_active(work: SignedIn, person_id: int, form: SentForm) -> Response:
    """Close an account, or open it again."""
    active = form.flag("active")
    deactivate_person(work, person_id=person_id, active=active)
    return go_to("/people", "person-enabled" if active else "person-disabled")


@router.post("/{person_id}/password")
def new_password(work: SignedIn, page: Page, person_id: int) -> Response:
    """Set a generated password for somebody who forgot theirs; it is shown once."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    person = set_password(work, person_id=person_id, new=password)
    return _page(work, page, invited=Invited(person=person, password=password))
