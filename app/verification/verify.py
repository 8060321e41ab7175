"""Compares the result of a run with what was planned and rehearsed, item by item; changes nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

from app.catalog.ask import ask
from app.catalog.fingerprint import fingerprint
from app.catalog.records import Schema
from app.catalog.schema import read_schema
from app.clock import Clock, SystemClock
from app.plan.model import Plan
from app.verification import schema as schemas
from app.verification.data import GONE, Answer, is_refused, none_left, returns
from app.verification.expectations import NOTHING, Expectations, ExpectedBackfill, ExpectedCheck, expectations
from app.verification.report import Item, State, Verification

#: A question to the data takes its time, but not for ever.
TIMEOUT_MS = 60_000
_LISTED = 50

_Finding = tuple[State, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """All that the items look at."""

    connection: psycopg.Connection[Any]
    expected: Expectations
    actual: Schema
    rehearsed: Schema | None
    rehearsed_fingerprint: str | None
    before: Schema | None
    skipped: tuple[str, ...]
    kept: Mapping[str, Mapping[str, Any]]
    run_label: str | None
    timeout_ms: int


def verify(
    connection: psycopg.Connection[Any],
    *,
    plan: Plan,
    expected_schema: Schema | None = None,
    expected_fingerprint: str | None = None,
    before: Schema | None = None,
    skipped: frozenset[str] = frozenset(),
    kept: Mapping[str, Mapping[str, Any]] | None = None,
    is_rollback: bool = False,
    run_label: str | None = None,
    timeout_ms: int = TIMEOUT_MS,
    clock: Clock | None = None,
) -> Verification:
    """Everything that can be held against the plan: schema, indexes, constraints, checks, backfills, what was left over.

    ``expected_schema``: the schema after the rehearsal (of a rollback: the schema before the run). ``before``: the target's
    schema before the run, so that what was wrong already is not laid to the run. ``kept``: what steps kept of their work, by
    id; a backfill's certificate is in it. ``run_label``: as sessions of the run's steps are named, ``headgate run <label> step
    ...``. Raises psycopg.OperationalError where the target is lost on the way.
    """
    watch = clock or SystemClock()
    began = watch.monotonic()
    case = _Case(
        connection=connection,
        expected=NOTHING if is_rollback else expectations(plan, skipped=skipped),
        actual=read_schema(connection),
        rehearsed=None if skipped else expected_schema,
        rehearsed_fingerprint=None if skipped else expected_fingerprint,
        before=before,
        skipped=tuple(step.title for step in plan.steps() if step.id in skipped),
        kept=kept or {},
        run_label=run_label,
        timeout_ms=timeout_ms,
    )
    items = []
    for identity, title, looked_at, look in _questions(case):
        state, evidence = look()
        now = watch.monotonic()
        shown = evidence[:_LISTED] + ([f"and {len(evidence) - _LISTED} more"] if len(evidence) > _LISTED else [])
        took = round((now - began) * 1000, 1)
        items.append(Item(id=identity, title=title, state=state, looked_at=looked_at, evidence=tuple(shown), duration_ms=took))
        began = now
    return Verification(items=tuple(items), fingerprint=fingerprint(case.actual))


def _questions(case: _Case) -> Iterator[tuple[str, str, str, Callable[[], _Finding]]]:
    """Id, title, what is looked at, and the look itself."""
    yield "schema", "Schema as rehearsed", "every object, against the schema after the rehearsal", partial(_schema, case)
    if case.expected.objects:
        looked_at = "what the plan's statements make and drop"
        yield "promises", "What the plan makes is there", looked_at, partial(_promises, case)
    yield "indexes", "No invalid indexes", "every index of every table", partial(_indexes, case)
    yield "constraints", "Constraints validated", "every constraint of every table", partial(_constraints, case)
    for check in case.expected.checks:
        question = check.spec.get("query") or check.spec["statement"]
        yield f"check:{check.step}", f"Check: {check.title}", question, partial(_check, case, check)
    for backfill in case.expected.backfills:
        question = f"rows of {backfill.table} where {backfill.where}"
        yield f"backfill:{backfill.step}", f"Backfill: {backfill.title}", question, partial(_backfill, case, backfill)
    if case.run_label is not None:
        yield "left_over", "Nothing of the run is left", "sessions and prepared transactions", partial(_left_over, case)


def _schema(case: _Case) -> _Finding:
    if case.rehearsed is None:
        if case.skipped:
            return "unknown", [f"skipped, so that the rehearsal is no measure: {', '.join(case.skipped)}"]
        if case.rehearsed_fingerprint is None:
            return "unknown", ["there is no rehearsal of exactly these steps to compare with"]
        equal = schemas.is_fingerprint(case.actual, case.rehearsed_fingerprint)
        return ("passed", ["the fingerprint is the rehearsed one"]) if equal else ("failed", ["the fingerprint is another one"])
    wrong, doubtful = schemas.unlike(case.rehearsed, case.actual, case.before)
    if wrong:
        return "failed", [schemas.against(change) for change in wrong]
    if doubtful:
        note = "the rehearsal ran on another major version, which may only word these differently"
        return "unknown", [note, *(schemas.against(change) for change in doubtful)]
    return "passed", [f"no difference in {len(case.actual.relations)} relations"]


def _promises(case: _Case) -> _Finding:
    broken = list(schemas.broken_promises(case.expected.objects.items(), case.actual))
    kept = f"{len(case.expected.objects)} of {len(case.expected.objects)} objects are as the plan says"
    return ("failed", broken) if broken else ("passed", [kept])


def _indexes(case: _Case) -> _Finding:
    known = {index.name for index in schemas.invalid_indexes(case.before)} if case.before else set()
    building = {row["name"] for row in ask(case.connection, "builds")}
    failed, notes, total = [], [], sum(len(relation.indexes) for relation in case.actual.relations.values())
    for index in schemas.invalid_indexes(case.actual):
        if index.name in building:
            notes.append(f"{index.name} on {index.relation} is being built right now by another session")
        elif index.name in known:
            notes.append(f"{index.name} on {index.relation} was invalid before the run already")
        else:
            failed.append(f"{index.name} on {index.relation} is invalid: drop it and build it again")
    return ("failed", failed + notes) if failed else ("passed", notes or [f"{total} indexes, all valid"])


def _constraints(case: _Case) -> _Finding:
    on_purpose = schemas.resolved(case.expected.loose, case.actual)
    if case.rehearsed is not None:
        on_purpose |= {f"{found.relation}.{found.name}" for found in schemas.loose_constraints(case.rehearsed)}
    known = {f"{found.relation}.{found.name}" for found in schemas.loose_constraints(case.before)} if case.before else set()
    failed, notes = [], []
    for found in schemas.loose_constraints(case.actual):
        name = f"{found.relation}.{found.name}"
        if name in known:
            notes.append(f"{name} was not validated before the run already")
        elif name in on_purpose:
            notes.append(f"{name} is not validated, as the plan leaves it")
        else:
            failed.append(f"{name} is not validated: rows from before it may break it ({found.definition})")
    return ("failed", failed + notes) if failed else ("passed", notes or ["all constraints are validated"])


def _check(case: _Case, check: ExpectedCheck) -> _Finding:
    timeout_ms = int(check.spec.get("timeout_ms") or case.timeout_ms)
    if "statement" in check.spec:
        answer = is_refused(case.connection, check.spec["statement"], str(check.spec["refused_with"]), timeout_ms=timeout_ms)
    else:
        answer = returns(case.connection, check.spec["query"], check.spec.get("expect"), timeout_ms=timeout_ms)
    return _judged(answer, is_final=check.is_final)


def _backfill(case: _Case, backfill: ExpectedBackfill) -> _Finding:
    certificate = case.kept.get(backfill.step, {}).get("certificate") or {}
    if certificate.get("gap_free") and certificate.get("remaining_rows", 0) is None:
        # the update does not end its own condition: rows that match it say nothing
        return "passed", [certificate["proof"]]
    table = case.actual.resolve(backfill.table) or backfill.table
    return _judged(none_left(case.connection, table, backfill.where, timeout_ms=case.timeout_ms), is_final=backfill.is_final)


def _judged(answer: Answer, *, is_final: bool) -> _Finding:
    """What a step proved in the run may be untrue later on purpose, where a later step changes what it looks at."""
    if answer.state == "passed" or is_final:
        return answer.state, [answer.evidence]
    held = "it held when the run passed it"
    if answer.sqlstate in GONE:
        return "passed", [f"{held}; a later step removed what it looks at"]
    return "unknown", [f"{held}; now: {answer.evidence}", "later steps of the plan may have changed what it looks at"]


def _left_over(case: _Case) -> _Finding:
    found = [row["what"] for row in ask(case.connection, "left_over", {"name": f"headgate run {case.run_label} step"})]
    return ("failed", found) if found else ("passed", ["no session and no prepared transaction"])
