"""Forward, back, forward again: whether the rollback really restores the schema, and how it is graded."""

import time
from typing import Any

import psycopg

from app.catalog.fingerprint import difference
from app.catalog.records import Schema
from app.catalog.schema import read_schema
from app.errors import HeadgateError
from app.plan.model import Grade, Plan
from app.rehearsal.report import RoundTrip
from app.rehearsal.steps import run_plainly, run_step
from app.target.errors import from_psycopg

_GRADES: tuple[Grade, ...] = ("lossless", "loses-new-writes", "irreversible")


def worst_grade(plan: Plan) -> Grade:
    """The worst grade of any step's rollback; a step that changes nothing counts as lossless."""
    grades = [step.rollback.grade for step in plan.steps() if step.rollback is not None]
    return max(grades, key=_GRADES.index, default="lossless")


def go_back_and_forth(plan: Plan, dsn: str, connection: psycopg.Connection, *, before: Schema, ledger_schema: str) -> RoundTrip:
    """Undo the plan on the shadow, compare with how it was, and run it once more."""
    started = time.monotonic()
    grade = worst_grade(plan)
    if grade == "irreversible":
        stuck = [step for step in plan.steps() if step.rollback is not None and step.rollback.grade == "irreversible"]
        reason = f"Step {stuck[-1].id} can't be undone: {stuck[-1].rollback.reason if stuck[-1].rollback else ''}"
        return RoundTrip(ran=False, schema_restored=False, grade=grade, reason=reason)
    error = _undo(plan, connection)
    left_over = () if error else tuple(difference(before, read_schema(connection)))
    again = None if error or left_over else _again(plan, dsn, connection, ledger_schema)
    return RoundTrip(
        ran=True,
        schema_restored=error is None and not left_over,
        grade=grade,
        left_over=left_over,
        error=error,
        again_error=again,
        duration_ms=(time.monotonic() - started) * 1000,
    )


def _undo(plan: Plan, connection: psycopg.Connection) -> dict[str, Any] | None:
    for step in reversed(list(plan.steps())):
        if step.rollback is None or not step.rollback.sql:
            continue
        try:
            run_plainly(connection, step.rollback.sql)
        except psycopg.Error as error:
            return {**from_psycopg(error).as_json(), "step": step.id}
        except HeadgateError as error:
            return {**error.as_json(), "step": step.id}
    return None


def _again(plan: Plan, dsn: str, connection: psycopg.Connection, ledger_schema: str) -> dict[str, Any] | None:
    for step in plan.steps():
        try:
            if step.kind == "sql":
                run_plainly(connection, step.spec["sql"])
            else:
                run_step(dsn, step, ledger_schema=ledger_schema)
        except psycopg.Error as error:
            return {**from_psycopg(error).as_json(), "step": step.id}
        except HeadgateError as error:
            return {**error.as_json(), "step": step.id}
    return None
