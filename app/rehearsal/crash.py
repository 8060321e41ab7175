"""The crash test of a rehearsal: the plan runs on copies of an empty shadow, its worker killed at another safe point each time.

The workers are real processes that are really killed (app/rehearsal/crash_run.py); this side starts them, listens, and keeps the
time. What is copied and dropped is on the shadow server alone.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import conninfo, sql

from app.plan.model import Plan
from app.rehearsal.shadow import Shadow
from app.tether import tethered

#: a rehearsal is waited for by people; what was not tried by then is said
LONGEST_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashTest:
    """What came of it."""

    #: safe points of the undisturbed run; 0 where it did not come to its end
    points: int
    #: at how many of them the worker was killed
    tried: int
    #: after how many kills the next worker brought the plan to the same end
    resumed: int
    #: {"point", "event", "step", "reason"} for each of the others
    failed: tuple[dict[str, Any], ...] = ()
    #: {"point", "event", "step"} of every point that was tried
    kills: tuple[dict[str, Any], ...] = ()
    #: why not every point was tried; "" where every one was
    stopped: str = ""

    def as_json(self) -> dict[str, Any]:
        """The ``crash_test`` part of the contract's rehearse document."""
        return {
            "points": self.points,
            "tried": self.tried,
            "resumed": self.resumed,
            "failed": list(self.failed),
            "kills": list(self.kills),
            "stopped": self.stopped,
        }

    def sentence(self) -> str:
        """What came of it, in one sentence for people."""
        told = f"Resumed correctly after {self.resumed} of {self.points} kills, one at every safe point."
        if self.stopped:
            told = f"Resumed correctly after {self.resumed} of {self.tried} kills; {self.points} safe points. {self.stopped}"
        return told


def crash_test(
    plan: Plan,
    shadow: Shadow,
    *,
    ledger_schema: str,
    report: Callable[[str], None] = lambda _: None,
    longest_seconds: float = LONGEST_SECONDS,
) -> CrashTest:
    """Kill the plan's worker at every safe point on copies of ``shadow``, which nobody may be connected to."""
    order = {
        "plan": plan.as_json(),
        "dsn": shadow.dsn,
        "ledger_schema": ledger_schema,
        "longest_seconds": longest_seconds,
    }
    command = [sys.executable, "-m", "app.rehearsal.crash_run"]
    said: dict[str, Any] = {}
    try:
        with subprocess.Popen(
            tethered(command, orphaned=signal.SIGTERM), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            # the connection string holds a password: it goes through a pipe, never through arguments
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("a pipe to the crash test is missing")
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                said = json.loads(line)
                if "points" in said and "tried" in said and not said.get("is_over"):
                    report(f"Killed at safe point {said['tried']} of {said['points']}")
    finally:
        _drop_copies(shadow.dsn)
    if not said.get("is_over"):
        return CrashTest(points=said.get("points", 0), tried=0, resumed=0, stopped="The crash test itself broke off.")
    return CrashTest(
        points=said["points"],
        tried=said["tried"],
        resumed=said["resumed"],
        failed=tuple(said["failed"]),
        kills=tuple(said["kills"]),
        stopped=said["stopped"],
    )


def copy_name(dsn: str) -> str:
    """The name of the copy that a kill is tried on."""
    return f"{conninfo.conninfo_to_dict(dsn)['dbname']}_crash"


def _drop_copies(dsn: str) -> None:
    with psycopg.connect(dsn, dbname="postgres", autocommit=True, application_name="headgate rehearsal") as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(copy_name(dsn))))
