"""The sign-in cookie: a random token of which only the hash is stored, so that a stolen database signs nobody in."""

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from app.actions.sign_in import actor_of_sign_in, actor_of_token
from app.actions.work import Actor, nobody
from app.clock import Clock
from app.settings import Settings

_BEARER = "bearer "


def cookie_name(settings: Settings) -> str:
    """With https the name itself makes browsers insist on Secure, the whole host and the path ``/``."""
    return "__Host-headgate" if settings.is_secure else "headgate"


def address_of(request: Request) -> str:
    """Where the request came from, as the server (or its trusted proxy) says."""
    return request.client.host if request.client else ""


def bearer_token(request: Request) -> str:
    """The API token that a script sent, or an empty string."""
    given = request.headers.get("authorization", "")
    return given[len(_BEARER) :].strip() if given.lower().startswith(_BEARER) else ""


def who_asks(request: Request, session: Session, settings: Settings, clock: Clock) -> Actor:
    """The person behind the cookie or the API token with the rights of this moment, or nobody."""
    address, number = address_of(request), str(getattr(request.state, "request_id", ""))
    if text := bearer_token(request):
        return actor_of_token(session, text, now=clock.now(), address=address, request_id=number)
    token = request.cookies.get(cookie_name(settings), "")
    if not token:
        return nobody(address=address, request_id=number)
    return actor_of_sign_in(session, token, settings=settings, now=clock.now(), address=address, request_id=number)


def keep_sign_in(response: Response, token: str, settings: Settings) -> None:
    """Give the browser its token, out of reach of scripts and of other sites' forms."""
    response.set_cookie(
        cookie_name(settings),
        token,
        max_age=settings.session_hours * 3600,
        path="/",
        secure=settings.is_secure,
        httponly=True,
        samesite="lax",
    )


def forget_sign_in(response: Response, settings: Settings) -> None:
    """Take the token away."""
    response.delete_cookie(cookie_name(settings), path="/", secure=settings.is_secure, httponly=True, samesite="lax")
