"""The stream of a run's page: the only async part beside the hub. It holds no session while it is open."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.actions.permissions import Permission
from app.errors import NotFoundError
from app.store.tables.runs import Run
from app.store.tables.targets import Target
from app.web.dependencies import SignedIn
from app.web.live import Hub

router = APIRouter()

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class EventStream(Response):
    """Sends what the hub yields until either side ends it."""

    def __init__(self, hub: Hub, run_id: int, after: int) -> None:
        """``after`` is the number of the last line that the page has."""
        super().__init__()
        self._hub, self._run_id, self._after = hub, run_id, after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Speak ASGI: one start, then bodies."""
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        stream = asyncio.create_task(self._send_all(send))
        gone = asyncio.create_task(_disconnected(receive))
        await asyncio.wait({stream, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in (stream, gone):
            task.cancel()
        await asyncio.gather(stream, gone, return_exceptions=True)

    async def _send_all(self, send: Send) -> None:
        async for chunk in self._hub.watch(self._run_id, self._after):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@router.get("/runs/{run_id}/stream", include_in_schema=False)
def stream(
    request: Request,
    run_id: int,
    work: SignedIn,
    after: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[str, Header()] = "",
) -> EventStream:
    """What happens in a run, as it happens; resumes after the last line that was seen."""
    run = work.session.get(Run, run_id)
    target = work.session.get(Target, run.target_id) if run else None
    if run is None or target is None:
        raise NotFoundError("There is no such run.")
    work.actor.require(target.project_id, Permission.VIEW)
    seen = int(last_event_id) if last_event_id.isdigit() else 0
    return EventStream(request.app.state.hub, run_id, max(after, seen))
