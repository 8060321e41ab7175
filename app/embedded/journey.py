"""The way of one plan through the web API, as people go it: import, review, run; each verb waits for its result."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from app.client import WaitedTooLongError
from app.embedded.people import Cast

_JOB_SECONDS = 120
_RUN_SECONDS = 300
_ENDED = {"monitoring", "completed", "failed", "cancelled", "paused", "rolled_back"}
_OPEN_JOB = {"queued", "running"}

Found = dict[str, Any]


def import_plan(cast: Cast, plan_file: Path, *, environment: str) -> Found:
    """The author imports a plan file for a target."""
    body = {"project_id": cast.project, "target_id": cast.targets[environment], "plan": plan_file.read_text()}
    return cast["author"].post("/plans", body)


def import_sql(cast: Cast, name: str, up: str, down: str, *, environment: str) -> Found:
    """The author imports a pair of migration files for a target."""
    stem = name.lower().replace(" ", "_")
    files = {f"001_{stem}.up.sql": up, f"001_{stem}.down.sql": down}
    body = {"project_id": cast.project, "target_id": cast.targets[environment], "name": name, "files": files}
    return cast["author"].post("/plans", body)


def analyse(cast: Cast, plan: int, *, environment: str) -> Found:
    """The analysis of the newest revision for a target, once it is there."""
    number = cast["author"].post(f"/plans/{plan}/analyse?target_id={cast.targets[environment]}")["analysis"]
    return _done(cast, f"/analyses/{number}", "The analysis")


def rehearse(cast: Cast, plan: int, *, environment: str) -> Found:
    """A rehearsal for a target, once it is done."""
    path = f"/plans/{plan}/rehearse?target_id={cast.targets[environment]}"
    number = cast["author"].post(path)["rehearsal"]
    return _done(cast, f"/rehearsals/{number}", "The rehearsal")


def approve(cast: Cast, plan: int, *, environment: str, roles: tuple[str, ...]) -> Found:
    """The people of these roles approve the newest revision for a target."""
    seen = show(cast, plan, environment)
    for role in roles:
        body = {"digest": seen["digest"], "note": "Read and rehearsed.", "target_id": cast.targets[environment]}
        cast[role].post(f"/plans/{plan}/approve", body)
    return {"approvals": len(roles), "digest": seen["digest"][:12]}


def tick(cast: Cast, plan: int, *, environment: str) -> Found:
    """The operator vouches for what Headgate can't prove by itself."""
    seen = show(cast, plan, environment)
    wanted = {gap["gate"].partition(":")[2] for gap in seen["missing"] if gap["gate"].startswith("checklist:")}
    for item in sorted(wanted):
        body = {"note": "Seen and confirmed.", "target_id": cast.targets[environment]}
        cast["operator"].post(f"/plans/{plan}/checklist/{item}/tick", body)
    after = show(cast, plan, environment)
    return {"ticked_by_hand": len(wanted), "ticked": sum(item["ticked"] for item in after["checklist"])}


def back_up(cast: Cast, *, environment: str) -> Found:
    """A backup of a target, once it is verified."""
    number = cast["operator"].post(f"/targets/{cast.targets[environment]}/backups")["backup"]
    return _done(cast, f"/backups/{number}", "The backup", role="operator")


def start(cast: Cast, plan: int, *, environment: str) -> int:
    """The operator starts the run."""
    seen = show(cast, plan, environment)
    body = {"digest": seen["digest"], "request_token": uuid4().hex, "target_id": cast.targets[environment]}
    number: int = cast["operator"].post(f"/plans/{plan}/run", body)["run"]
    return number


def drive(cast: Cast, run: int) -> Found:
    """Open every gate and wait until the run ends, well or not."""
    return wait_for_run(cast, run, lambda seen: seen["state"] in _ENDED)


def wait_for_run(cast: Cast, run: int, done: Callable[[Found], bool]) -> Found:
    """Wait until the run is as wanted, opening gates on the way."""

    def look(seen: Found) -> bool:
        if seen["state"] == "waiting_gate":
            cast["operator"].post(f"/runs/{run}/open-gate", {"step": seen["current_step"], "text": "Release 2.31 is live."})
        return done(seen)

    try:
        return cast["operator"].wait_for(f"/runs/{run}", look, seconds=_RUN_SECONDS, what=f"The end of run {run}")
    except WaitedTooLongError:
        return cast["operator"].get(f"/runs/{run}")


def roll_back(cast: Cast, run: int, *, target: str) -> Found:
    """The operator rolls a run back and waits for the end of it."""
    back = cast["operator"].post(f"/runs/{run}/roll-back", {"target": target})["run"]
    return wait_for_run(cast, back, lambda seen: seen["state"] in _ENDED)


def show(cast: Cast, plan: int, environment: str) -> Found:
    """A plan as it stands for a target."""
    return cast["operator"].get(f"/plans/{plan}", target_id=cast.targets[environment])


def _done(cast: Cast, path: str, what: str, *, role: str = "author") -> Found:
    return cast[role].wait_for(path, lambda seen: seen["state"] not in _OPEN_JOB, seconds=_JOB_SECONDS, what=what)
