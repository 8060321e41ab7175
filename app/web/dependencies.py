"""What routes ask for: the unit of work that commits before the answer, the person, the page."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy.orm import Session, sessionmaker
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from app.actions.work import Work
from app.web.doorbell import Doorbell
from app.web.problems import SignInNeededError
from app.web.render import Renderer
from app.web.sign_ins import address_of, bearer_token, who_asks


def unit_of_work(request: Request) -> Iterator[Work]:
    """One transaction for the whole request: committed before the answer leaves, then the workers are woken."""
    state = request.app.state
    sessions: sessionmaker[Session] = state.sessions
    doorbell: Doorbell = state.doorbell
    with sessions() as session:
        actor = who_asks(request, session, state.settings, state.clock)
        request.state.actor = actor if actor.person_id else None
        work = Work(session=session, actor=actor, clock=state.clock, settings=state.settings)
        yield work
        session.commit()
    doorbell.ring(work.wakes)


#: for the few routes that need nobody to be signed in
Anyone = Annotated[Work, Depends(unit_of_work, scope="function")]


def _signed_in(work: Anyone, request: Request) -> Work:
    if not work.actor.person_id and bearer_token(request):
        raise SignInNeededError(
            "The API token is unknown, has ended or was revoked.", hint="Make a new one: headgate token add, or under Settings."
        )
    if not work.actor.person_id:
        raise SignInNeededError(hint="Sign in and come back: you will land on this page again.")
    return work


SignedIn = Annotated[Work, Depends(_signed_in, scope="function")]


class Pages:
    """The renderer, bound to one request."""

    def __init__(self, request: Request) -> None:
        """``request`` says who looks, and whether htmx wants only a part."""
        self.request = request
        self._renderer: Renderer = request.app.state.renderer

    @property
    def address(self) -> str:
        """The network address that the request came from."""
        return address_of(self.request)

    def show(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """A whole page."""
        return self._renderer.page(self.request, template, status=status, **context)

    def part(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """A part that replaces itself."""
        return self._renderer.part(self.request, template, status=status, **context)

    def either(self, page: str, part: str, **context: Any) -> HTMLResponse:
        """The part where htmx asks for it, else the page."""
        return self._renderer.either(self.request, page, part, **context)


Page = Annotated[Pages, Depends(Pages)]


def go_to(path: str, done: str | None = None) -> RedirectResponse:
    """Answer a form with a page to load (303); ``done`` names the sentence that the page shows."""
    if done is None:
        return RedirectResponse(path, status_code=303)
    base, _, fragment = path.partition("#")
    joined = f"{base}{'&' if '?' in base else '?'}done={done}"
    return RedirectResponse(f"{joined}#{fragment}" if fragment else joined, status_code=303)


def undo(work: Work) -> None:
    """Take back whatever a refused action did so far, so that its form can be shown again with what was typed."""
    work.session.rollback()
    work.wakes.clear()
