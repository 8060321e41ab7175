"""A real Chromium against the real application: skipped with the install line where there is none, an error in CI."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from app.store import sign_ins
from tests.doubles.clock import FixedClock
from tests.doubles.databases import Database
from tests.doubles.world import World, a_world
from tests.web.site import Site

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
INSTALL = "no Chromium found: apt-get install -y --no-install-recommends chromium, or set HEADGATE_CHROMIUM to one"


def chromium() -> str | None:
    """Where a Chromium is."""
    return os.environ.get("HEADGATE_CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole session."""
    path = chromium()
    if path is None:
        if os.environ.get("HEADGATE_REQUIRE_BROWSER") == "1":
            pytest.fail(INSTALL)
        pytest.skip(INSTALL)
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield started
        started.close()


@dataclass
class Served:
    """The application on a port of the loopback."""

    site: Site
    url: str
    browser: Browser

    def context(self, who: str | None, **options: object) -> BrowserContext:
        """A browser profile in which a person of the world is signed in."""
        context = self.browser.new_context(base_url=self.url, **options)
        if who is not None:
            with self.site.world.sessions.begin() as session:
                person = self.site.world.people[who]
                _, token = sign_ins.start(session, person.id, now=self.site.world.clock.now(), lasts=timedelta(days=1))
            context.add_cookies([{"name": "headgate", "value": token, "url": self.url}])
        return context

    def page(self, who: str | None = "admin", **options: object) -> Page:
        """One tab that fails on any error in its console."""
        page = self.context(who, **options).new_page()
        page.console_errors = []
        page.on("console", lambda message: page.console_errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.console_errors.append(str(error)))
        return page


@pytest.fixture
def served(metadata: Database, clock: FixedClock, browser: Browser) -> Iterator[Served]:
    """The application, really served."""
    with a_world(metadata, clock) as world:
        yield from _serve(world, browser)


def _serve(world: World, browser: Browser) -> Iterator[Served]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        site = Site(world)
        server = uvicorn.Server(uvicorn.Config(site.app, log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            thread.join(0.02)
        made = Served(site=site, url=f"http://localhost:{port}", browser=browser)
        try:
            yield made
        finally:
            for context in browser.contexts:
                context.close()
            server.should_exit = True
            thread.join(10)
