"""create_app: the routes, what stands before them, and what they share. Nothing is opened at import time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from sqlalchemy.orm import Session, sessionmaker
from starlette.middleware import Middleware
from starlette.responses import Response

from app.clock import Clock, SystemClock
from app.errors import NotFoundError
from app.settings import Settings
from app.store.sessions import libpq_url
from app.web.assets import Assets
from app.web.doorbell import Doorbell
from app.web.head import HeadLikeGet
from app.web.live import Hub
from app.web.problems import LastResort, add_problem_answers
from app.web.rate_limit import SignInLimit
from app.web.render import Renderer
from app.web.routes import ROUTERS
from app.web.run_stream import render_run
from app.web.security import OwnPagesOnly, RequestNumber, SecurityHeaders
from app.web.uploads import UploadLimit

FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


def create_app(settings: Settings, sessions: sessionmaker[Session], doorbell: Doorbell, *, clock: Clock | None = None) -> FastAPI:
    """The application, ready to serve; tests hand in a clock and a doorbell of their own."""
    clock = clock or SystemClock()
    assets = Assets()
    app = FastAPI(
        title="Headgate",
        summary="The control room for PostgreSQL migrations",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_listening,
        middleware=[
            Middleware(RequestNumber),
            Middleware(SecurityHeaders, is_secure=settings.is_secure),
            Middleware(LastResort),
            Middleware(OwnPagesOnly, settings=settings),
            Middleware(UploadLimit, limit_bytes=settings.upload_bytes),
            Middleware(HeadLikeGet),
        ],
    )
    app.state.settings = settings
    app.state.sessions = sessions
    app.state.doorbell = doorbell
    app.state.clock = clock
    app.state.renderer = Renderer(settings, assets, clock)
    app.state.sign_in_limit = SignInLimit(settings)
    render = partial(render_run, sessions, app.state.renderer, settings.data_dir)
    app.state.hub = Hub(libpq_url(settings.database_url.get_secret_value()), render)
    add_problem_answers(app)
    _serve_assets(app, assets)
    for router in ROUTERS:
        app.include_router(router)
    return app


@asynccontextmanager
async def _listening(app: FastAPI) -> AsyncIterator[None]:
    """Listen for runs that move while the server runs; every open stream ends before the server waits for it."""
    app.state.hub.start()
    yield
    await app.state.hub.stop()


def _serve_assets(app: FastAPI, assets: Assets) -> None:
    @app.get("/static/{name}", include_in_schema=False)
    def asset(name: str) -> Response:
        """A stylesheet, script or font under its hashed name."""
        found = assets.find(name)
        if found is None:
            raise NotFoundError("There is no such file; the page that asked for it is from an older Headgate. Load it again.")
        return Response(found.content, media_type=found.media_type, headers=FOR_EVER)
