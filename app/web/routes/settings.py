"""One's own account: password, sign-ins, tokens, theme."""

from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from app.actions.end_sign_ins import end_sign_ins
from app.actions.issue_token import IssuedToken, issue_token, revoke_token
from app.actions.set_password import set_password
from app.errors import InvalidInputError
from app.store import people, sign_ins
from app.web.dependencies import Anyone, Page, Pages, SignedIn, go_to, undo
from app.web.forms import SentForm
from app.web.render import THEME_COOKIE, THEMES
from app.web.routes.sign_in import own_path
from app.web.views.settings import program_of

router = APIRouter(prefix="/settings", include_in_schema=False)
A_YEAR_SECONDS = 365 * 24 * 3600


@router.get("")
def show(work: SignedIn, page: Page) -> HTMLResponse:
    """One's own account."""
    return _page(work, page)


def _page(
    work: SignedIn, page: Pages, *, errors: dict[str, str] | None = None, issued: IssuedToken | None = None
) -> HTMLResponse:
    idle = timedelta(minutes=work.settings.session_idle_minutes)
    return page.show(
        "settings/show.html",
        status=422 if errors else 200,
        person=people.get(work.session, work.actor.person_id),
        sign_ins=sign_ins.open_ones(work.session, work.actor.person_id, now=work.now, idle=idle),
        current_id=work.actor.sign_in_id,
        tokens=sign_ins.tokens(work.session, work.actor.person_id),
        issued=issued,
        errors=errors or {},
        program_of=program_of,
    )


@router.post("/password")
def change_password(work: SignedIn, page: Page, form: SentForm) -> Response:
    """Set one's own password."""
    present, new = ((form.values.get(name) or [""])[0] for name in ("present", "password"))
    try:
        set_password(work, person_id=work.actor.person_id, new=new, present=present)
    except InvalidInputError as error:
        undo(work)
        return _page(work, page, errors=error.fields)
    return go_to("/settings", "password-changed")


@router.post("/sign-ins/end")
def end(work: SignedIn, form: SentForm) -> Response:
    """End one other sign-in, or all others."""
    end_sign_ins(work, person_id=work.actor.person_id, sign_in_id=form.optional_number("sign_in_id"))
    return go_to("/settings", "signed-out-elsewhere")


@router.post("/tokens")
def make_token(work: SignedIn, page: Page, form: SentForm) -> Response:
    """Make an API token; its text is on the answer and nowhere else."""
    try:
        issued = issue_token(work, person_id=work.actor.person_id, name=form.text("name"), scopes=form.many("scopes"))
    except InvalidInputError as error:
        undo(work)
        return _page(work, page, errors=error.fields)
    return _page(work, page, issued=issued)


@router.post("/tokens/{token_id}/revoke")
def revoke(work: SignedIn, token_id: int) -> Response:
    """Take a token back."""
    revoke_token(work, token_id=token_id)
    return go_to("/settings", "saved")


@router.post("/theme")
def theme(work: Anyone, form: SentForm) -> Response:
    """Remember light, dark, or what the system prefers."""
    response = go_to(own_path(form.text("next")))
    chosen = form.one_of("theme", THEMES, default="auto")
    form.check()
    response.set_cookie(
        THEME_COOKIE, chosen, max_age=A_YEAR_SECONDS, samesite="lax", httponly=True, secure=work.settings.is_secure
    )
    return response
