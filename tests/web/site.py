"""The application over a small world, and browsers (without JavaScript) of the people in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from starlette.testclient import TestClient

from app.actions.work import Wake
from app.analysis.analyse import analyse_plan
from app.analysis.basis import Basis
from app.store import plans, sign_ins
from app.store.tables import Plan
from app.store.words import JobState
from app.web.main import create_app
from tests.doubles.world import World

ORIGIN = "http://testserver"


@dataclass
class Bell:
    """A doorbell that remembers who rang."""

    rung: list[Wake] = field(default_factory=list)

    def ring(self, wakes: Iterable[Wake]) -> None:
        self.rung += wakes


class Forms(HTMLParser):
    """Every form of a page with its address and its fields: what a browser without JavaScript can send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.forms.append((found.get("action") or "", {}))
        elif tag in {"input", "textarea", "select"} and self.forms and found.get("name"):
            self.forms[-1][1][found["name"] or ""] = found.get("value") or ""

    def fields(self, action: str) -> dict[str, str]:
        """The fields of the form that is sent to an address."""
        return next(fields for address, fields in self.forms if address == action)


class Site:
    """One application, and a browser for each person."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.bell = Bell()
        self.app = create_app(world.settings, world.sessions, self.bell, clock=world.clock)

    def stranger(self) -> TestClient:
        """A browser in which nobody is signed in."""
        return TestClient(
            self.app, base_url=ORIGIN, headers={"origin": ORIGIN}, follow_redirects=False, raise_server_exceptions=False
        )

    def browser(self, who: str) -> TestClient:
        """A browser in which a person of the world is signed in."""
        with self.world.sessions.begin() as session:
            person = self.world.people[who]
            _, token = sign_ins.start(session, person.id, now=self.world.clock.now(), lasts=timedelta(days=1))
        client = self.stranger()
        client.cookies.set("headgate", token)
        return client

    def analysed(self, plan: Plan, basis: Basis | None = None, details: Mapping[str, Any] | None = None) -> None:
        """As if a worker had analysed the plan's newest revision, with the real rules; without a basis, with no schema."""
        revision = self.world.revision(plan)
        with self.world.sessions.begin() as session:
            row = plans.queue_analysis(session, revision.id, plan.target_id, now=self.world.clock.now())
            row.state, row.rules_version, row.finished_at = JobState.DONE, "1", self.world.clock.now()
            row.report = analyse_plan(plans.content(revision), basis=basis or Basis()).as_json()
            row.details = None if details is None else dict(details)
