"""Builders for runs: a plan out of a few steps, an order to run it, and the engine driven to its end or for one slice."""

import itertools
import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

from app.clock import SystemClock
from app.engine.execute import execute
from app.engine.order import RunOrder, SliceEnded, SliceResult
from app.plan.model import Phase, Plan, Rollback, Step
from app.steps.protocol import LockPolicy
from tests.doubles.databases import Database
from tests.doubles.diary import Diary

QUICK = LockPolicy(lock_timeout_ms=200, attempts=5, first_rest_ms=20, longest_rest_ms=50, patience_ms=20_000)
_numbers = itertools.count(1000)


def a_step(step_id: str, kind: str = "sql", *, undo: str | None = None, rollback: Rollback | None = None, **spec: Any) -> Step:
    """A step; ``undo`` is its rollback SQL, graded lossless."""
    if undo is not None:
        rollback = Rollback(grade="lossless", sql=undo)
    return Step(id=step_id, kind=kind, title=step_id, spec=spec, rollback=rollback)


def a_plan(*steps: Step, name: str = "a plan") -> Plan:
    """A plan with one phase."""
    return Plan(name=name, phases=(Phase(name="expand", steps=steps),))


def an_order(database: Database, *steps: Step, **changes: Any) -> RunOrder:
    """A forward run of these steps, never driven before, with short limits."""
    order = RunOrder(
        key=uuid4(),
        number=next(_numbers),
        plan=a_plan(*steps),
        direction="forward",
        dsn=database.dsn,
        fence=1,
        locks=QUICK,
        lease_seconds=5.0,
    )
    return replace(order, **changes)


def one_slice(order: RunOrder, diary: Diary | None = None, *, seconds: float = 60.0) -> SliceResult:
    """What one slice of so many seconds comes to."""
    return execute(order, diary or Diary(), clock=SystemClock(), deadline_monotonic=time.monotonic() + seconds)


def to_the_end(order: RunOrder, diary: Diary | None = None, *, seconds: float = 60.0) -> SliceResult:
    """What the run comes to when slices follow each other, each with a fence of its own."""
    diary = diary or Diary()
    while isinstance(result := one_slice(order, diary, seconds=seconds), SliceEnded):
        order = replace(order, fence=order.fence + 1)
    return result
