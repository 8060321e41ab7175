"""HEAD on every address that takes GET: the same answer without its body, for link checkers and proxies."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadLikeGet:
    """Asks the routes as GET and lets only the head of the answer through."""

    def __init__(self, app: ASGIApp) -> None:
        """``app`` is what comes next."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as soon as the head is there; a stream that would go on is told that nobody listens."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        answered = asyncio.Event()

        async def receive_nothing() -> Message:
            await answered.wait()
            return {"type": "http.disconnect"}

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                answered.set()

        await self.app({**scope, "method": "GET"}, receive_nothing, send_head)
