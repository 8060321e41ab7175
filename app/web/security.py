"""What stands before every route: no foreign site's form, no inline script, no request without a number."""

import re
import uuid
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import HeadgateError
from app.settings import Settings
from app.web.problems import answer_problem
from app.web.sign_ins import bearer_token

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class ForeignRequestError(HeadgateError):
    """This form was sent from another site, so nothing was changed."""

    status = 403


class RequestNumber:
    """Gives each request a number (or keeps the proxy's) that problem pages, the log and the audit show."""

    def __init__(self, app: ASGIApp) -> None:
        """``app`` is what comes next."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put ``request_id`` into the request's state and into the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        number = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex[:16]
        scope.setdefault("state", {})["request_id"] = number

        async def send_with_number(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = number
            await send(message)

        await self.app(scope, receive, send_with_number)


class SecurityHeaders:
    """The strict content policy and its companions on every answer, problem pages included."""

    def __init__(self, app: ASGIApp, *, is_secure: bool) -> None:
        """``is_secure`` says whether people come by https, so that browsers may be told to stay there."""
        self.app = app
        self.fixed = {
            "content-security-policy": POLICY,
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "same-origin",
            "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
        }
        if is_secure:
            self.fixed["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers; a page that says nothing about caching is not kept."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self.fixed)
                headers.setdefault("cache-control", "no-store")
                headers.add_vary_header("HX-Request")
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def is_our_own(headers: Headers, *, hosts: set[str]) -> bool:
    """Whether a changing request comes from our own pages, or from a script that says where it belongs.

    Browsers say ``Sec-Fetch-Site`` (on https and localhost) or ``Origin``; a request with neither is refused, since an old
    browser would send one like it for a foreign site. Scripts send ``Origin`` with our address.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() in hosts


class OwnPagesOnly:
    """Refuses changing requests that another site's page sent (cross-site request forgery)."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        """``settings`` names the public address."""
        self.app = app
        self.public = urlsplit(settings.public_url).netloc.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let safe methods and our own pages through."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        hosts = {self.public, request.headers.get("host", "").lower()}
        if bearer_token(request):  # no browser adds this by itself, and the cookie does not count beside it
            await self.app(scope, receive, send)
            return
        if is_our_own(request.headers, hosts=hosts):
            await self.app(scope, receive, send)
            return
        refusal = ForeignRequestError(
            hint="Open the page in Headgate and press the button there. A script sends the header Origin with Headgate's address."
        )
        response: Response = answer_problem(request, refusal)
        await response(scope, receive, send)
