"""Runs a plan on a shadow: forward, back, and forward again; reports what was seen, not what was expected."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from app.catalog.encoding import schema_to_json
from app.catalog.fingerprint import difference, fingerprint
from app.catalog.preview import preview
from app.catalog.records import QueryStatistics, Schema
from app.catalog.schema import read_schema
from app.errors import HeadgateError
from app.plan.model import Plan, Step
from app.rehearsal.crash import CrashTest, crash_test
from app.rehearsal.forecast import Forecast, begin_forecast, look_again
from app.rehearsal.likeness import Likeness, copy_settings, likeness
from app.rehearsal.report import Rehearsal, RoundTrip, StepNote
from app.rehearsal.roundtrip import go_back_and_forth, worst_grade
from app.rehearsal.shadow import Shadow, shadow_database
from app.rehearsal.steps import run_sql, run_step
from app.rehearsal.trace import StatementTrace, Tracer

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalOrder:
    """What to rehearse, and where."""

    plan: Plan
    target_dsn: str
    #: a server on which databases may be made; never the target's own data is touched there
    shadow_dsn: str
    queries: Sequence[QueryStatistics] = ()
    ledger_schema: str = "headgate"
    bin_dir: Path | None = None
    #: False where no value of a row may leave the target: statistics hold the most common ones
    copies_statistics: bool = True
    #: also run the plan with its worker killed at every safe point
    crash_test: bool = False


def rehearse(order: RehearsalOrder, *, report: Report = lambda _: None) -> Rehearsal:
    """Rehearse the plan; an SQL error in it is a result (``ok`` False), not an exception.

    Raises ShadowError or TargetError where the shadow itself can't be made.
    """
    report("Copying the schema into a shadow database")
    with (
        shadow_database(order.target_dsn, order.shadow_dsn, ledger_schema=order.ledger_schema, bin_dir=order.bin_dir) as shadow,
        _session(shadow.dsn, "headgate rehearsal") as runner,
        _session(shadow.dsn, "headgate rehearsal observer") as observer,
        likeness(order.target_dsn, shadow.dsn, bin_dir=order.bin_dir, copies_statistics=order.copies_statistics) as like,
    ):
        copy_settings(order.target_dsn, [observer])
        seen = _Rehearsing(order=order, shadow=shadow, like=like, runner=runner, observer=observer, report=report).run()
    return replace(seen, crash_test=_crash_test(order, report)) if order.crash_test and seen.error is None else seen


def _crash_test(order: RehearsalOrder, report: Report) -> CrashTest:
    """On a shadow of its own, which nothing ran on and nobody is connected to: only such a one can be copied."""
    report("Killing the worker at every safe point")
    with shadow_database(order.target_dsn, order.shadow_dsn, ledger_schema=order.ledger_schema, bin_dir=order.bin_dir) as shadow:
        return crash_test(order.plan, shadow, ledger_schema=order.ledger_schema, report=report)


def _session(dsn: str, name: str) -> psycopg.Connection:
    # never prepared by psycopg: a known query carries $1, which a prepared statement would want a value for
    return psycopg.connect(dsn, autocommit=True, application_name=name, prepare_threshold=None)


@dataclass(slots=True, kw_only=True)
class _Rehearsing:
    """One rehearsal on its way, and what was seen so far."""

    order: RehearsalOrder
    shadow: Shadow
    like: Likeness
    runner: psycopg.Connection
    observer: psycopg.Connection
    report: Report
    statements: list[StatementTrace] = field(default_factory=list)
    notes: list[StepNote] = field(default_factory=list)
    error: dict[str, Any] | None = None

    def run(self) -> Rehearsal:
        before = read_schema(self.observer)
        with self._planning():
            forecast = begin_forecast(self.observer, self.order.queries, compares_costs=self.like.compares_costs)
        self._go_forward(forecast)
        after = read_schema(self.observer)
        trip = self._round_trip(before)
        sound = trip.error is None and trip.again_error is None
        return Rehearsal(
            ok=self.error is None and sound,
            target_version=self.shadow.target_version,
            shadow_version=self.shadow.shadow_version,
            before=fingerprint(before),
            after=fingerprint(after),
            round_trip=trip,
            statements=tuple(self.statements),
            steps=tuple(self.notes),
            changes=tuple(difference(before, after)),
            preview=preview(before, after, basis="rehearsal"),
            queries=forecast.as_json(),
            notes=(*self.shadow.notes, *(self.like.notes if self.order.queries else ())),
            error=self.error or trip.error or trip.again_error,
            schema_after=schema_to_json(after),
        )

    def _go_forward(self, forecast: Forecast) -> None:
        tracer = Tracer(self.runner, self.observer)
        for phase in self.order.plan.phases:
            for step in phase.steps:
                self.report(f"Running step {step.title}")
                if not self._one_step(tracer, step, phase.name):
                    return
            with self._planning():
                look_again(self.observer, forecast, statement=len(self.statements), phase=phase.name)

    def _planning(self) -> AbstractContextManager[None]:
        """The shadow like its target, where there is anything to plan."""
        return self.like.in_force(self.observer) if self.order.queries else nullcontext()

    def _one_step(self, tracer: Tracer, step: Step, phase: str) -> bool:
        """Run one step and keep what was seen; False where the plan can't go on."""
        started = time.monotonic()
        try:
            if step.kind == "sql":
                self.statements += run_sql(tracer, step, phase)
                return True
            self.notes.append(run_step(self.shadow.dsn, step, ledger_schema=self.order.ledger_schema))
        except HeadgateError as error:
            self.statements += tracer.ended_by_error()
            self.error = {**error.as_json(), "step": step.id}
            spent_ms = (time.monotonic() - started) * 1000
            failed = StepNote(step=step.id, kind=step.kind, outcome="failed", text=error.message, duration_ms=spent_ms)
            self.notes.append(replace(failed, error=error.as_json()))
            return False
        return True

    def _round_trip(self, before: Schema) -> RoundTrip:
        if self.error is not None:
            grade = worst_grade(self.order.plan)
            return RoundTrip(ran=False, schema_restored=False, grade=grade, reason="The plan failed before its end.")
        self.report("Rolling back, and forward again")
        return go_back_and_forth(
            self.order.plan, self.shadow.dsn, self.runner, before=before, ledger_schema=self.order.ledger_schema
        )
