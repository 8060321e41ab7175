"""The last look before the first change: can the target be worked with, is it as approved, who stands in the way right now."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.backfill.ledger_tables import has_ledger, missing_grant
from app.catalog.fingerprint import fingerprint
from app.catalog.schema import read_schema
from app.engine.order import RunOrder
from app.engine.undo import undo_of
from app.errors import HeadgateError
from app.plan.model import Step
from app.steps.politeness import Holder, holders, old_snapshots, wanted_locks
from app.steps.registry import kind_of
from app.steps.units import Unit, units_of
from app.target.session import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """One reason not to begin."""

    what: str
    #: the way out
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear:
    """The run may begin."""

    server_version: str
    fingerprint: str
    #: sessions that the run would wait for if it began now, one sentence each
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """The run must not begin; nothing was changed."""

    reasons: tuple[Hindrance, ...]


def preflight(order: RunOrder, *, expected_fingerprint: str | None = None) -> Clear | Blocked:
    """Look at the target and at the plan's steps without changing anything.

    ``expected_fingerprint``: the schema that was approved (app.catalog.fingerprint); None where nothing was.
    """
    try:
        with Target.connect(order.dsn, purpose=f"run {order.label} looks before it begins") as target:
            units, hindrances = _units(order)
            hindrances += _rights(target, order.ledger_schema)
            seen = fingerprint(read_schema(target.connection))
            if expected_fingerprint is not None and seen != expected_fingerprint:
                hindrances.append(
                    Hindrance(
                        what="The target's schema is not the one that was approved.",
                        hint="Analyse and rehearse the plan against the present schema, and ask for approval again.",
                    )
                )
            if hindrances:
                return Blocked(reasons=tuple(hindrances))
            warnings = tuple(dict.fromkeys(holder.sentence for holder in _in_the_way(target, order, units)))
            return Clear(server_version=target.server_version, fingerprint=seen, warnings=warnings)
    except HeadgateError as error:
        return Blocked(reasons=(Hindrance(what=error.message, hint=error.hint),))


def _units(order: RunOrder) -> tuple[list[Unit], list[Hindrance]]:
    """The units of every step that runs SQL, and why some can't be run."""
    units: list[Unit] = []
    hindrances: list[Hindrance] = []
    for step in _steps(order):
        try:
            kind_of(step.kind)
            if step.kind == "sql":
                units += units_of(step.spec["sql"], share=step.spec.get("transaction", True), file=step.source_file)
        except HeadgateError as error:
            hindrances.append(Hindrance(what=f"Step {step.id}: {error.message}", hint=error.hint))
    return units, hindrances


def _steps(order: RunOrder) -> Iterator[Step]:
    for step in order.plan.steps():
        if step.id not in order.skipped:
            yield step if order.direction == "forward" else undo_of(step).step


def _rights(target: Target, schema: str) -> list[Hindrance]:
    grant = None if has_ledger(target, schema) else missing_grant(target, schema)
    if grant is None:
        return []
    what = f"The role may not keep Headgate's ledger (schema {schema}) on the target."
    return [Hindrance(what=what, hint=f"Let the owner of the database run: {grant}")]


def _in_the_way(target: Target, order: RunOrder, units: list[Unit]) -> list[Holder]:
    older = order.locks.lock_timeout_ms
    wanted = wanted_locks([part for unit in units for part in unit.parts])
    found = holders(target, wanted, older_than_ms=older)
    if any(unit.way == "index" for unit in units):
        found += old_snapshots(target, older_than_ms=older)
    return found
