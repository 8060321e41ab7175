"""The whole product as processes, for tests: a started stack, its people, and short ways through the web API."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from shutil import rmtree
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from app.client import HeadgateClient
from app.embedded.folder import DataFolder
from app.embedded.journey import Found
from app.embedded.people import Cast, make_cast
from app.embedded.ports import free_port
from app.embedded.process import Child
from app.embedded.shop import ShopDatabase, Size, build_shop
from app.embedded.stack import Stack
from app.settings import Settings
from tests.doubles.databases import Database
from tests.doubles.folders import short_folder
from tests.doubles.waiting import until

SMALL = (
    ShopDatabase(environment="staging", name="shop_staging", size=Size(users=500, products=20, orders=1_000)),
    ShopDatabase(environment="production", name="shop_production", size=Size(users=5_000, products=50, orders=8_000)),
)
OPEN = {"queued", "running"}
ENDED = {"monitoring", "completed", "failed", "cancelled", "paused", "rolled_back"}
#: policies of environments that a test makes
FREE = {"approvals": {"low": 0, "medium": 0, "high": 0}, "checklist": [], "backup_required": False, "rehearsal_required": False}
FREE |= {"staging_first": False}
_numbers = count(1)


@dataclass(kw_only=True)
class Theatre:
    """One started stack with the people in it."""

    stack: Stack
    cast: Cast
    shops: Sequence[ShopDatabase]
    _environments: dict[str, int] = field(default_factory=dict)

    def part(self, name: str) -> Child:
        """A process of the stack: web, worker, scheduler."""
        return next(kept.part for kept in self.stack.supervisor.parts if kept.part.name == name)

    def environment(self, **policy: Any) -> int:
        """An environment of its own with these rules; without any, everything may run at once."""
        rules = {**FREE, **policy}
        key = repr(sorted(rules.items()))
        if key not in self._environments:
            body = {"project_id": self.cast.project, "name": f"env-{next(_numbers)}", "policy": rules}
            self._environments[key] = self.cast["admin"].post("/environments", body)["id"]
        return self._environments[key]

    def target(self, dsn: str, **policy: Any) -> int:
        """A registered and tested target."""
        body = {"environment_id": self.environment(**policy), "name": f"db-{next(_numbers)}", "dsn": dsn}
        number: int = self.cast["admin"].post("/targets", body)["id"]
        self.look("admin", f"/targets/{number}", lambda seen: seen["schema_fingerprint"] is not None)
        return number

    def plan(self, target: int, *, plan: str = "", files: Mapping[str, str] | None = None, **more: Any) -> int:
        """An imported plan, analysed."""
        body = {"project_id": self.cast.project, "target_id": target, "plan": plan, "files": files, **more}
        number: int = self.cast["author"].post("/plans", body)["id"]
        seen = self.look("author", f"/plans/{number}", lambda seen: (seen["analysis"] or {}).get("state") not in OPEN)
        assert seen["analysis"]["state"] == "done", seen
        return number

    def start(self, plan: int, *, who: str = "operator", **more: Any) -> int:
        """A started run."""
        return self.press_start(plan, who=who, **more)["run"]

    def press_start(self, plan: int, *, who: str = "operator", digest: str = "", **more: Any) -> Found:
        """The answer to a press of the button."""
        shown = digest or self.cast[who].get(f"/plans/{plan}")["digest"]
        return self.cast[who].post(f"/plans/{plan}/run", {"digest": shown, "request_token": uuid4().hex, **more})

    def run(self, number: int) -> Found:
        """A run as it is now."""
        return self.cast["operator"].get(f"/runs/{number}")

    def events(self, number: int, kind: str = "") -> list[Found]:
        """A run's events, of one type where it is named."""
        found = self.cast["operator"].get(f"/runs/{number}/events")["events"]
        return [event for event in found if kind in {"", event["type"]}]

    def until_run(self, number: int, *states: str, seconds: float = 40) -> Found:
        """The run once it is in one of these states (or, without any, has come to an end)."""
        wanted = set(states) or ENDED
        seen = self.look(
            "operator", f"/runs/{number}", lambda seen: seen["state"] in wanted or seen["state"] in ENDED, seconds=seconds
        )
        assert seen["state"] in wanted, (seen["state"], seen["reason"])
        return seen

    def until_event(self, number: int, kind: str, *, seconds: float = 30) -> list[Found]:
        """The events of a type once there are any."""
        return until(lambda: self.events(number, kind), seconds=seconds, every=0.05)

    def press(self, number: int, verb: str, *, who: str = "operator", **body: Any) -> Found:
        """A button of a run."""
        return self.cast[who].post(f"/runs/{number}/{verb}", body)

    def look(self, who: str, path: str, done: Callable[[Found], bool], *, seconds: float = 40) -> Found:
        """What is at a path once it is as wanted."""
        return self.cast[who].wait_for(path, done, seconds=seconds, what=path, every=0.05)

    def target_name(self, number: int) -> str:
        """The name that has to be typed."""
        return str(self.cast["operator"].get(f"/targets/{number}")["name"])

    def roll_back(self, run: int, target: int, **more: Any) -> Found:
        """The rollback run, at its end."""
        back = self.press(run, "roll-back", target=self.target_name(target), **more)["run"]
        return self.until_run(back)

    def client(self, **also: Any) -> HeadgateClient:
        """A client in which nobody is signed in."""
        return HeadgateClient(self.stack.address, **also)


def steps_of(seen: Found) -> dict[str, str]:
    """Step -> its state."""
    return {step["id"]: step["state"] for step in seen["steps"]}


def plan_file(*steps: str, name: str = "A plan", phase: str = "expand") -> str:
    """A plan file of one phase; each step is the lines of its YAML."""
    lines = ["headgate: 1", f"name: {name}", "phases:", f"  - name: {phase}", "    steps:"]
    for step in steps:
        first, *rest = step.strip("\n").splitlines()
        lines += [f"      - {first.strip()}", *(f"        {line}" for line in rest)]
    return "\n".join(lines) + "\n"


def sql_step(step_id: str, sql: str, undo: str = "", *, grade: str = "lossless") -> str:
    """A step of SQL for ``plan_file``."""
    back = f"rollback: {{sql: {undo!r}, grade: {grade}}}" if undo else "rollback: {nothing: Nothing to undo.}"
    return f"id: {step_id}\nkind: sql\nsql: {sql!r}\n{back}"


@contextmanager
def play_house(
    *, shops: Sequence[ShopDatabase] = (), workers: int = 1, schedulers: int = 1, **settings: str
) -> Iterator[Theatre]:
    """A started stack in a folder of its own, ended afterwards. ``settings``: HEADGATE_* variables without their prefix."""
    folder = short_folder()
    folder.chmod(0o711)
    said = {name: value for name, value in os.environ.items() if not name.startswith(("HEADGATE_", "PG"))}
    said |= {f"HEADGATE_{name.upper()}": value for name, value in settings.items()}
    with patch.dict(os.environ, said, clear=True):
        stack = Stack(folder=DataFolder(folder / "data"), settings=Settings(), port=free_port(), say=lambda _: None)
        try:
            stack.start()
            for number in range(2, workers + 1):
                another(stack, "worker", number)
            for number in range(2, schedulers + 1):
                another(stack, "scheduler", number)
            built = build_shop(stack.postgres, stack.folder, wanted=shops) if shops else ()
            cast = make_cast(stack.address, stack.folder, built)
            yield Theatre(stack=stack, cast=cast, shops=built)
        finally:
            stack.stop()
            rmtree(folder, ignore_errors=True)


def another(stack: Stack, name: str, number: int, *, prefix: Sequence[str] = (), app: str = "", **environment: str) -> Child:
    """Start one more worker or scheduler like the first, or with another beginning of its command, Celery application, environment."""
    first = next(kept.part for kept in stack.supervisor.parts if kept.part.name == name)
    command = [str(stack.folder.path / f"scheduler-{number}") if part.endswith("/scheduler") else part for part in first.command]
    copy = Child(
        f"{name}-{number}",
        [*prefix, *(app if app and part == "workers.celery_app" else part for part in command)],
        log=stack.log(f"{name}-{number}"),
        env={**(first.env or {}), **environment},
        cwd=first.cwd,
        polite=first.polite,
        orphaned=first.orphaned,
    )
    stack.supervisor.start(copy)
    return copy


def sessions_of_ours(database: Database) -> list[tuple]:
    """Sessions of a run that are left on a target."""
    return database.rows(
        "SELECT pid, application_name FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE 'headgate run%'"
    )
