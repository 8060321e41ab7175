"""Kind `check`: a query whose answer the plan expects, or a statement that the database must refuse; changes nothing."""

import json
from collections.abc import Mapping
from typing import Any

from app.plan.model import Step
from app.run.events import CheckPassed
from app.sql.classify import classify
from app.sql.split import split
from app.steps.errors import CheckFailedError, StepRefusedError
from app.steps.protocol import Done, StepContext, StepRun
from app.steps.units import units_of
from app.target.errors import ConnectionLostError, LockNotGrantedError, StatementCancelledError, TargetError
from app.target.session import Target
from app.verification.answers import found_value, plain

#: A check that reads a large table takes its time, but not for ever.
TIMEOUT_MS = 60_000
_SHOWN_ROWS = 20


class _RollBack(Exception):  # noqa: N818  # not an error: the way out of a transaction that must not commit
    pass


class Check:
    """Compares what the database says with what the plan expects."""

    name = "check"

    def describe(self, step: Step) -> str:
        """One plain sentence."""
        if "statement" in step.spec:
            return f"Checks that the database refuses a statement with {step.spec['refused_with']}; it is rolled back in any case"
        return f"Checks that a query returns {json.dumps(step.spec.get('expect'))}"

    def run(self, context: StepContext) -> StepRun:
        """Ask once; a check that fails is a failed step."""
        spec = context.step.spec
        _refuse_unfit(spec)
        timeout_ms = int(spec.get("timeout_ms") or TIMEOUT_MS)
        started = context.clock.monotonic()
        with context.connect() as target:
            context.watch(target.pid, spec.get("query") or spec.get("statement"))
            try:
                if "statement" in spec:
                    found = _refusal(target, spec["statement"], str(spec["refused_with"]), timeout_ms)
                else:
                    found = _answer(target, spec["query"], spec.get("expect"), timeout_ms)
            finally:
                context.watch(None, None)
        took = (context.clock.monotonic() - started) * 1000
        yield CheckPassed(step=context.step.id, found=found, duration_ms=took)
        return Done(result={"found": found})


def _answer(target: Target, query: str, expect: Any, timeout_ms: int) -> str:
    with target.transaction(statement_timeout_ms=timeout_ms, read_only=True):
        rows = [[plain(value) for value in row] for row in target.fetch(query)]
    found = found_value(rows, expect)
    shown = json.dumps(found[:_SHOWN_ROWS] if isinstance(found, list) else found)
    if found != expect:
        raise CheckFailedError(
            f"The query returned {shown}; the plan expects {json.dumps(expect)}.",
            hint="Find out why, mend it, and try the step again; or skip it with a reason.",
        )
    return shown


def _refusal(target: Target, statement: str, sqlstate: str, timeout_ms: int) -> str:
    try:
        with target.transaction(statement_timeout_ms=timeout_ms):
            target.send(statement)
            # constraints that are checked at COMMIT must speak now: there will be no COMMIT
            target.execute("SET CONSTRAINTS ALL IMMEDIATE")
            raise _RollBack  # noqa: TRY301  # the only way to leave a transaction without COMMIT
    except _RollBack:
        raise CheckFailedError(
            f"The database took the statement; the plan expects it to be refused with {sqlstate}. It was rolled back.",
            hint="What should refuse it is not in force: look at the constraint or trigger, then try the step again.",
        ) from None
    except (ConnectionLostError, LockNotGrantedError, StatementCancelledError):
        raise
    except TargetError as error:
        if error.sqlstate == sqlstate:
            return f"refused with {sqlstate}: {error.message}"
        raise CheckFailedError(
            f"The database refused the statement with {error.sqlstate}, not with {sqlstate}: {error.message}",
            hint="The statement of the check is wrong, or something else refuses it first.",
            sqlstate=error.sqlstate,
        ) from error


def _refuse_unfit(spec: Mapping[str, Any]) -> None:
    """Refuse what could leave the transaction that is rolled back."""
    if "statement" in spec:
        if any(unit.way != "transaction" for unit in units_of(spec["statement"])):
            raise StepRefusedError("A check may only hold statements that can be rolled back.", hint="Leave that statement out.")
        return
    statements = split(spec["query"])
    if len(statements) != 1 or not classify(statements[0]).is_query:
        raise StepRefusedError("A check asks one query, and changes nothing.", hint="Write one SELECT.")
