"""A client of Headgate's own REST interface: what the command line and the headless story talk through."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import httpx2

from app.errors import HeadgateError

_TIMEOUT_SECONDS = 30.0
_LOOK_SECONDS = 0.2
#: Shorter than the server's own five seconds, or a request meets a connection that is just being closed.
_KEEP_SECONDS = 2.0


class ServerAwayError(HeadgateError):
    """The Headgate server does not answer."""

    status = 503
    exit_code = 3


class RefusedError(HeadgateError):
    """The Headgate server refused the request."""

    exit_code = 2


class WaitedTooLongError(HeadgateError):
    """What was waited for did not come in time."""

    exit_code = 1


class HeadgateClient:
    """One person's way to a server: a bearer token, or a sign-in kept as a cookie."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        """``url`` is the server's address as people type it."""
        headers = {"accept": "application/json", "origin": url.rstrip("/")}
        if token:
            headers["authorization"] = f"Bearer {token}"
        self.url = url.rstrip("/")
        limits = httpx2.Limits(keepalive_expiry=_KEEP_SECONDS)
        self._http = httpx2.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=_TIMEOUT_SECONDS, limits=limits)

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._http.close()

    def sign_in(self, email: str, password: str) -> Self:
        """Sign in and keep the cookie; Raises RefusedError."""
        self.post("/sign-in", {"email": email, "password": password})
        return self

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The JSON at a path; Raises RefusedError with the server's own words, ServerAwayError."""
        return self._answer("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send JSON to a path; Raises RefusedError, ServerAwayError."""
        return self._answer("POST", path, json=dict(body or {}))

    def wait_for(
        self, path: str, done: Callable[[dict[str, Any]], bool], *, seconds: float, what: str, every: float = _LOOK_SECONDS
    ) -> dict[str, Any]:
        """Look at a path until it is as wanted; Raises WaitedTooLongError that says what was seen last."""
        deadline = time.monotonic() + seconds
        while True:
            seen = self.get(path)
            if done(seen):
                return seen
            if time.monotonic() > deadline:
                raise WaitedTooLongError(f"{what} did not come within {seconds:.0f} s; last seen: {seen.get('state')}.")
            time.sleep(every)

    def _answer(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **arguments)
        except httpx2.HTTPError as error:
            raise ServerAwayError(
                f"{self.url} does not answer: {error}", hint="Start it with `headgate up`, or set HEADGATE_URL."
            ) from None
        if response.is_success:
            body: dict[str, Any] = response.json()
            return body
        raise _refusal(response)


def _refusal(response: httpx2.Response) -> RefusedError:
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return RefusedError(f"The server answered {response.status_code} without saying why.")
    refused = RefusedError(error.get("message"), hint=error.get("hint"), file=error.get("file"), line=error.get("line"))
    refused.column, refused.sqlstate = error.get("column"), error.get("sqlstate")
    refused.status = response.status_code
    return refused
