"""The sign-in cookie: a random token of which only the hash is stored, so that a stolen database signs nobody in."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from app.actions.permissions import Permission
from app.actions.work import Actor, nobody
from app.clock import Clock
from app.settings import Settings
from app.store import people, sign_ins
from app.store.tables import Person

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
    stranger = nobody(address=address_of(request), request_id=str(getattr(request.state, "request_id", "")))
    if text := bearer_token(request):
        return _by_token(session, text, stranger, clock.now())
    token = request.cookies.get(cookie_name(settings), "")
    idle = timedelta(minutes=settings.session_idle_minutes)
    found = sign_ins.find(session, token, now=clock.now(), idle=idle) if token else None
    if found is None:
        return stranger
    sign_in, person = found
    return _actor(session, person, stranger, sign_in_id=sign_in.id)


def _by_token(session: Session, text: str, stranger: Actor, now: datetime) -> Actor:
    found = sign_ins.find_token(session, text, now=now)
    if found is None:
        return stranger
    token, person = found
    scopes = frozenset(Permission[name] for name in token.scopes if name in Permission.__members__) if token.scopes else None
    return _actor(session, person, stranger, scopes=scopes)


def _actor(
    session: Session,
    person: Person,
    stranger: Actor,
    *,
    sign_in_id: int | None = None,
    scopes: frozenset[Permission] | None = None,
) -> Actor:
    return Actor(
        person_id=person.id,
        name=person.name,
        is_admin=person.is_admin,
        roles=people.roles_of(session, person.id),
        address=stranger.address,
        request_id=stranger.request_id,
        sign_in_id=sign_in_id,
        scopes=scopes,
    )


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
