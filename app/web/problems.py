"""A refusal in its own words: a page, a part in place, or the contract's JSON; what nobody foresaw gets a reference number."""

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from psycopg.errors import DataError, NumericValueOutOfRange
from sqlalchemy.exc import DBAPIError, OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.contract import CONTRACT
from app.errors import HeadgateError, InvalidInputError, NotFoundError
from app.web.sign_ins import who_asks

if TYPE_CHECKING:
    from app.web.render import Renderer

logger = logging.getLogger("headgate.web")
UNAUTHORIZED, SERVER_FAULT, UNAVAILABLE = 401, 500, 503
#: a right that is missing, somebody who was faster, too many tries, a part that is away: a way out exists, nothing is broken
_NOBODYS_FAULT = {403, 409, 429, 503}
TITLES = {
    400: "This can't be done as asked",
    401: "Sign in first",
    403: "You may not do this",
    404: "There is nothing here",
    405: "This address does not take that",
    409: "It moved meanwhile",
    413: "Too large",
    422: "Something in the form is missing or wrong",
    429: "Too many attempts",
    500: "Something broke on our side",
    503: "A part of Headgate is away",
}


class SignInNeededError(HeadgateError):
    """Nobody is signed in."""

    status = 401


class MethodError(HeadgateError):
    """This address does not take that kind of request."""

    status = 405


class OwnDatabaseAwayError(HeadgateError):
    """Headgate's own database does not answer."""

    status = 503


class UnforeseenError(HeadgateError):
    """Something broke that nobody foresaw; nothing was changed by this request."""

    status = 500


def wants_json(request: Request) -> bool:
    """Whether the one who asks is a script."""
    accept = request.headers.get("accept", "")
    return request.url.path.startswith("/api/") or ("application/json" in accept and "text/html" not in accept)


def wants_part(request: Request) -> bool:
    """Whether htmx asks for a part of the page that is already there."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"


def problem_facts(request: Request, error: HeadgateError) -> dict[str, Any]:
    """What the problem's template takes."""
    return {
        "error": error,
        "title": TITLES.get(error.status, TITLES[400]),
        "fields": getattr(error, "fields", {}),
        "facts": getattr(error, "facts", {}),
        "reference": getattr(request.state, "request_id", ""),
        "is_fault": error.status >= SERVER_FAULT,
        "again": page_of(request),
        "tone": "" if error.status == NotFoundError.status else "is-warn" if error.status in _NOBODYS_FAULT else "is-bad",
    }


def page_of(request: Request) -> str:
    """The page to load again: the address itself where it was only looked at, else the page that the sent form stood on."""
    asked = request.url.path
    if request.method in {"GET", "HEAD"}:
        return asked + (f"?{request.url.query}" if request.url.query else "")
    before = urlsplit(request.headers.get("referer", ""))
    is_ours = before.netloc.lower() == request.headers.get("host", "").lower() and before.path.startswith("/")
    # a page that answered a form stands at the form's own address, where nothing can be loaded
    if is_ours and not before.path.startswith("//") and before.path != asked:
        return before.path + (f"?{before.query}" if before.query else "")
    return asked.rpartition("/")[0] or "/"


def answer_problem(request: Request, error: HeadgateError) -> Response:
    """The answer in the form that the asker understands."""
    if wants_json(request):
        facts: dict[str, Any] = {**error.as_json(), "fields": getattr(error, "fields", {})}
        if error.status >= SERVER_FAULT:
            facts["reference"] = getattr(request.state, "request_id", "")
        return JSONResponse({"contract": CONTRACT, "error": facts}, status_code=error.status)
    if error.status == UNAUTHORIZED:
        return _to_sign_in(request)
    renderer: Renderer = request.app.state.renderer
    facts = problem_facts(request, error)
    if wants_part(request):
        answer = renderer.part(request, "components/_problem.html", status=error.status, **facts)
        answer.headers["HX-Retarget"] = "#problems"
        answer.headers["HX-Reswap"] = "innerHTML show:window:top"
        return answer
    return renderer.page(request, "problem.html", status=error.status, **facts)


def _to_sign_in(request: Request) -> Response:
    """Pages go to the sign-in and come back; a part asks htmx to do the same with the whole page."""
    if wants_part(request):
        return Response(status_code=UNAUTHORIZED, headers={"HX-Redirect": "/sign-in"})
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    suffix = f"?next={quote(wanted)}" if request.method == "GET" and wanted != "/" else ""
    return RedirectResponse(f"/sign-in{suffix}", status_code=303)


def _from_framework(error: HTTPException) -> HeadgateError:
    if error.status_code == NotFoundError.status:
        return NotFoundError("There is no page at this address.", hint="Look for it by name with the search.")
    if error.status_code == MethodError.status:
        return MethodError(hint="Go back to the page and use its buttons.")
    problem = HeadgateError(str(error.detail))
    problem.status = error.status_code
    return problem


def _from_validation(error: RequestValidationError) -> HeadgateError:
    if any(fault["loc"][:1] == ("path",) for fault in error.errors()):
        return NotFoundError("There is no page at this address.")
    fields = {str(fault["loc"][-1]): str(fault["msg"]) for fault in error.errors()}
    names = ", ".join(fields)
    return InvalidInputError(f"These fields are missing or wrong: {names}.", fields=fields)


def _from_database(error: DBAPIError) -> HeadgateError:
    if isinstance(error.orig, NumericValueOutOfRange):
        return NotFoundError("There is nothing by that number.", hint="Numbers this large name nothing here.")
    if isinstance(error.orig, DataError):  # a NUL character, half a surrogate pair: text that PostgreSQL can't keep or compare
        return _unreadable()
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return OwnDatabaseAwayError(
            hint="Runs that are under way go on by themselves as soon as it is back. Load the page again."
        )
    return UnforeseenError(hint="Load the page again; if it stays, give the reference number to whoever runs Headgate.")


def _unreadable() -> HeadgateError:
    return InvalidInputError(
        "The request holds text that PostgreSQL can't read, such as a NUL character.",
        hint="Take out what is no text: a zero byte, or half of a surrogate pair.",
    )


def _noted(request: Request, error: DBAPIError, answer: HeadgateError) -> HeadgateError:
    """The answer as it is; what is not the asker's doing goes to the log."""
    if answer.status >= SERVER_FAULT:
        logger.error("request %s: the database refused", getattr(request.state, "request_id", ""), exc_info=error)
    return answer


def _recognise(request: Request) -> None:
    """Who looks, where no route came to ask: the page of an address that does not exist has its navigation, too."""
    state = request.app.state
    if hasattr(request.state, "actor") or wants_json(request):
        return
    try:
        with state.sessions() as session:
            actor = who_asks(request, session, state.settings, state.clock)
    except DBAPIError:
        return
    request.state.actor = actor if actor.person_id else None


def add_problem_answers(app: FastAPI) -> None:
    """Answer every foreseen refusal in the asker's form."""

    def foreseen(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            _recognise(request)
            return answer_problem(request, _from_framework(error))
        if isinstance(error, RequestValidationError):
            return answer_problem(request, _from_validation(error))
        if isinstance(error, DBAPIError):
            return answer_problem(request, _noted(request, error, _from_database(error)))
        if isinstance(error, UnicodeEncodeError):  # half a surrogate pair, which JSON can hold and UTF-8 can't
            return answer_problem(request, _unreadable())
        return answer_problem(request, error if isinstance(error, HeadgateError) else UnforeseenError())

    for kind in (HeadgateError, HTTPException, RequestValidationError, DBAPIError, UnicodeEncodeError):
        app.add_exception_handler(kind, foreseen)


class LastResort:
    """Turns what nobody foresaw into a page with a reference number; the log holds the rest."""

    def __init__(self, app: ASGIApp) -> None:
        """``app`` is what comes next."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer where nothing was answered yet."""
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_noting)
        except Exception:
            if scope["type"] != "http" or started:
                raise
            request = Request(scope, receive)
            logger.exception("request %s %s failed", getattr(request.state, "request_id", ""), request.url.path)
            error = UnforeseenError(hint="Give the reference number to whoever runs Headgate: the log has the rest under it.")
            await answer_problem(request, error)(scope, receive, send)
