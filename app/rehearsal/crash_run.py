"""The process of a crash test: forks a worker for each safe point, kills it there, lets the next one go on, and compares.

``python -m app.rehearsal.crash_run`` reads one line of JSON from its standard input and writes lines of JSON. It has no threads
of its own, so that its forks are whole.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import conninfo, sql

from app.catalog.fingerprint import fingerprint
from app.catalog.schema import read_schema
from app.clock import SystemClock
from app.engine.execute import execute
from app.engine.order import Finished, RunOrder, SliceResult, StepFailed
from app.plan.model import Phase, Plan
from app.rehearsal.crash import copy_name
from app.run.events import Event, Gauge
from app.run.journal import Ask
from app.steps.protocol import LockPolicy

#: a shadow has no people, no application and no rows: what needs them is left out, as in the rehearsal itself
LEFT_OUT = frozenset({"hook", "backup", "wait"})
_SLICE_SECONDS = 60.0
_LEFT_BEHIND = """
    SELECT 'the INVALID index ' || indexrelid::regclass::text FROM pg_catalog.pg_index WHERE NOT indisvalid
    UNION ALL
    SELECT 'the half detached partition ' || inhrelid::regclass::text FROM pg_catalog.pg_inherits WHERE inhdetachpending
    UNION ALL
    SELECT 'the session ' || application_name FROM pg_catalog.pg_stat_activity
     WHERE datname = pg_catalog.current_database() AND application_name LIKE 'headgate run%'
"""
#: a server takes a moment to end the session of a client that is gone
_ENDS_WITHIN_SECONDS = 5.0
_TABLES = """
    SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', %(ledger)s) ORDER BY 1, 2
"""


@dataclass(slots=True)
class Notes:
    """A journal that counts safe points and lets its process die at one of them."""

    #: 0: nowhere
    die_at: int = 0
    told: list[tuple[str, str]] = field(default_factory=list)

    def record(self, *recorded: Event) -> None:
        """Count; at the chosen one, be gone as a machine that loses its power."""
        for event in recorded:
            self.told.append((event.type(), str(getattr(event, "step", ""))))
            if len(self.told) == self.die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def gauge(self, gauge: Gauge) -> None:
        """Figures are no safe points."""

    def heartbeat(self) -> Ask | None:
        """Nobody asks."""
        return None

    def asked(self) -> Ask | None:
        """Nobody asks."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a database looks like after the plan."""

    schema: str
    rows: tuple[tuple[str, str, int], ...]


def main() -> None:
    """One crash test."""
    said = json.loads(sys.stdin.readline())
    deadline = time.monotonic() + said["longest_seconds"]
    order = _order(Plan.from_json(said["plan"]), said["dsn"], said["ledger_schema"])
    told, expected = _undisturbed(order, said["dsn"])
    answer: dict[str, Any] = {"points": len(told), "tried": 0, "resumed": 0, "failed": [], "kills": [], "stopped": ""}
    if expected is None:
        answer["points"] = 0
        answer["stopped"] = "The plan does not come to its end on the shadow, so nothing was killed."
    for point, (kind, step) in enumerate(told if expected else [], start=1):
        if time.monotonic() > deadline:
            answer["stopped"] = f"Stopped after {said['longest_seconds']:.0f} s; later points were not tried."
            break
        reason = _try(order, said["dsn"], point, expected)
        answer["tried"] += 1
        answer["kills"].append({"point": point, "event": kind, "step": step})
        if reason:
            answer["failed"].append({"point": point, "event": kind, "step": step, "reason": reason})
        else:
            answer["resumed"] += 1
        _say(answer)
    _say({**answer, "is_over": True})


def _order(plan: Plan, dsn: str, ledger_schema: str) -> RunOrder:
    phases = [
        Phase(name=phase.name, steps=tuple(step for step in phase.steps if step.kind not in LEFT_OUT)) for phase in plan.phases
    ]
    gates = {step.id: "crash test" for step in plan.steps() if step.kind == "gate"}
    return RunOrder(
        key=uuid4(),
        number=0,
        plan=replace(plan, phases=tuple(phases)),
        direction="forward",
        dsn=conninfo.make_conninfo(dsn, dbname=copy_name(dsn)),
        fence=1,
        ledger_schema=ledger_schema,
        locks=LockPolicy(attempts=5, patience_ms=20_000),
        opened_gates=gates,
    )


def _undisturbed(order: RunOrder, shadow: str) -> tuple[list[tuple[str, str]], Outcome | None]:
    _copy(shadow)
    notes = Notes()
    result = _drive(order, notes)
    return notes.told, _outcome(order) if isinstance(result, Finished) else None


def _try(order: RunOrder, shadow: str, point: int, expected: Outcome | None) -> str:
    """Kill at one point, go on, and compare; why it was not right, or ""."""
    _copy(shadow)
    if _in_a_process(lambda: _drive(order, Notes(die_at=point))) != -signal.SIGKILL:
        return "The run did not come by this point a second time."
    result = _drive(replace(order, fence=2), Notes())
    if isinstance(result, StepFailed):
        return f"The next worker failed at step {result.step}: {result.error.message}"
    if not isinstance(result, Finished):
        return f"The next worker did not come to the end: {type(result).__name__}."
    left = _left_behind(order)
    if left:
        return f"It left {', '.join(left)}."
    return "" if _outcome(order) == expected else "The schema or the number of rows is not that of an undisturbed run."


def _drive(order: RunOrder, notes: Notes) -> SliceResult:
    return execute(order, notes, clock=SystemClock(), deadline_monotonic=time.monotonic() + _SLICE_SECONDS)


def _in_a_process(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            # nothing of the parent's may run in the copy
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _copy(shadow: str) -> None:
    """A fresh copy of the shadow, in place of the last one."""
    copy, template = sql.Identifier(copy_name(shadow)), sql.Identifier(str(conninfo.conninfo_to_dict(shadow)["dbname"]))
    with psycopg.connect(shadow, dbname="postgres", autocommit=True, application_name="headgate rehearsal") as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(copy))
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, template))


def _outcome(order: RunOrder) -> Outcome:
    with psycopg.connect(order.dsn, autocommit=True, application_name="headgate rehearsal") as connection:
        schema = fingerprint(read_schema(connection))
        tables = connection.execute(_TABLES, {"ledger": order.ledger_schema}).fetchall()
        count = sql.SQL("SELECT count(*) FROM ONLY {}")
        rows = [(*table, *(connection.execute(count.format(sql.Identifier(*table))).fetchone() or (0,))) for table in tables]
    return Outcome(schema=schema, rows=tuple(rows))


def _left_behind(order: RunOrder) -> list[str]:
    """What of ours is still there: sessions, invalid indexes, partitions that are detached by half."""
    deadline = time.monotonic() + _ENDS_WITHIN_SECONDS
    with psycopg.connect(order.dsn, autocommit=True, application_name="headgate rehearsal") as connection:
        while (left := [row[0] for row in connection.execute(_LEFT_BEHIND).fetchall()]) and time.monotonic() < deadline:
            connection.execute("SELECT pg_catalog.pg_sleep(0.05)")
    return left


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
