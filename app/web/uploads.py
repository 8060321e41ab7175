"""The largest request that is read: counted while it arrives, so that nobody fills the memory by not saying how much comes."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import HeadgateError
from app.web.formats import size
from app.web.problems import answer_problem

#: room for the form's own lines around the files
MARGIN_BYTES = 256 * 1024
#: how much more is read and thrown away, so that a browser gets to see the answer
DRAINED_TIMES = 2


class TooLargeError(HeadgateError):
    """That is more than Headgate takes in one upload."""

    status = 413


class UploadLimit:
    """Answers 413 as soon as a request says, or turns out, to be larger than the limit."""

    def __init__(self, app: ASGIApp, *, limit_bytes: int) -> None:
        """``limit_bytes`` is what the files may weigh together."""
        self.app = app
        self.limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on while it is small enough."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        declared = request.headers.get("content-length", "")
        most = self.limit_bytes + MARGIN_BYTES
        if declared.isdigit() and int(declared) > most:
            await self._refuse(request, receive, send)
            return
        seen = 0

        async def receive_counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise self._error()
            return message

        await self.app(scope, receive_counted, send)

    def _error(self) -> TooLargeError:
        return TooLargeError(
            f"The upload is larger than {size(self.limit_bytes)}, so it was not read.",
            hint="Migrations are text: leave data files and archives of other things out, or upload one folder at a time.",
        )

    async def _refuse(self, request: Request, receive: Receive, send: Send) -> None:
        drained = 0
        while drained < self.limit_bytes * DRAINED_TIMES:
            message = await receive()
            drained += len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body", False):
                break
        response = answer_problem(request, self._error())
        await response(request.scope, receive, send)
