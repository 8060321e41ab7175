"""In and out, and the first account of a new Headgate."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.actions.create_first_admin import create_first_admin
from app.actions.sign_in import SignInRefusedError, sign_in
from app.actions.sign_out import sign_out
from app.errors import HeadgateError, InvalidInputError, MovedMeanwhileError
from app.store import people
from app.web.dependencies import Anyone, Page, Pages, go_to, undo
from app.web.forms import SentForm
from app.web.rate_limit import SignInLimit, TooManyAttemptsError
from app.web.sign_ins import forget_sign_in, keep_sign_in

router = APIRouter(include_in_schema=False)
LONGEST_PASSWORD = 1100


def own_path(wanted: str) -> str:
    """The page to come back to: a path of ours, never another site."""
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and "\n" not in wanted and "\r" not in wanted
    return wanted if is_ours and not wanted.startswith("/sign-") else "/"


@router.get("/sign-in")
def show(work: Anyone, page: Page, next_path: str = "", next: str = "") -> Response:  # noqa: A002  the word in the address
    """The form; on a new Headgate the one that makes the first account."""
    if work.actor.person_id:
        return go_to(own_path(next or next_path))
    return _form(page, is_first=not people.is_anybody_there(work.session), next_path=own_path(next))


@router.post("/sign-in")
def enter(work: Anyone, page: Page, form: SentForm, request: Request) -> Response:
    """Check the password and give the browser its token."""
    email, next_path = form.text("email"), own_path(form.text("next"))
    limit: SignInLimit = request.app.state.sign_in_limit
    try:
        limit.count(email=email, address=work.actor.address)
        made = sign_in(
            work,
            email=email,
            password=(form.values.get("password") or [""])[0][:LONGEST_PASSWORD],
            user_agent=request.headers.get("user-agent", ""),
        )
    except (SignInRefusedError, TooManyAttemptsError) as error:
        return _form(page, is_first=False, next_path=next_path, email=email, error=error)
    response = go_to(next_path)
    keep_sign_in(response, made.token, work.settings)
    return response


@router.post("/sign-in/first")
def make_first(work: Anyone, page: Page, form: SentForm, request: Request) -> Response:
    """Make the administrator's account and sign in."""
    email, name = form.text("email"), form.text("name")
    password = (form.values.get("password") or [""])[0][:LONGEST_PASSWORD]
    try:
        create_first_admin(work, email=email, name=name, password=password)
    except (InvalidInputError, MovedMeanwhileError) as error:
        undo(work)
        fields = getattr(error, "fields", {})
        return _form(page, is_first=isinstance(error, InvalidInputError), email=email, name=name, error=error, fields=fields)
    made = sign_in(work, email=email, password=password, user_agent=request.headers.get("user-agent", ""))
    response = go_to("/")
    keep_sign_in(response, made.token, work.settings)
    return response


@router.post("/sign-out")
def leave(work: Anyone) -> Response:
    """End the sign-in that one is using."""
    sign_out(work)
    response = go_to("/sign-in", "signed-out")
    forget_sign_in(response, work.settings)
    return response


def _form(
    page: Pages,
    *,
    is_first: bool,
    next_path: str = "/",
    email: str = "",
    name: str = "",
    error: HeadgateError | None = None,
    fields: dict[str, str] | None = None,
) -> HTMLResponse:
    return page.show(
        "sign_in/show.html",
        status=error.status if error else 200,
        is_first=is_first,
        next_path=next_path,
        email=email,
        name=name,
        error=error,
        errors=fields or {},
    )
