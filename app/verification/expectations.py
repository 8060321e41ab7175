"""What a plan promises, gathered before anything is looked at; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.plan.model import Plan, Step
from app.sql.split import Statement, split
from app.verification.promises import Ledger, Promise

#: Kinds of step that change the target.
_CHANGING = frozenset({"sql", "backfill"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCheck:
    """A check step that is asked again at the end."""

    step: str
    title: str
    #: as app.plan.kinds describes a check's spec
    spec: Mapping[str, Any]
    #: nothing changes the target after it: it must still hold
    is_final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedBackfill:
    """A backfill that leaves no row behind."""

    step: str
    title: str
    table: str
    where: str
    is_final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """Everything that must be true after the run."""

    objects: Mapping[Promise, bool]
    #: "table.constraint", as written: left NOT VALID on purpose
    loose: frozenset[str]
    checks: tuple[ExpectedCheck, ...]
    backfills: tuple[ExpectedBackfill, ...]


def expectations(plan: Plan, *, skipped: frozenset[str] = frozenset()) -> Expectations:
    """What the plan promises without the steps that were skipped.

    A check before the first change is a precondition, and is not asked again.
    """
    steps = [step for step in plan.steps() if step.id not in skipped]
    changing = [position for position, step in enumerate(steps) if step.kind in _CHANGING]
    ledger = Ledger()
    for step in steps:
        if step.kind == "sql":
            ledger.follow(split(step.spec["sql"]))
    return Expectations(
        objects=dict(ledger.objects),
        loose=frozenset(ledger.loose),
        checks=tuple(
            ExpectedCheck(step=step.id, title=step.title, spec=step.spec, is_final=position > changing[-1])
            for position, step in enumerate(steps)
            if step.kind == "check" and changing and position > changing[0]
        ),
        backfills=tuple(
            ExpectedBackfill(
                step=step.id,
                title=step.title,
                table=step.spec["table"],
                where=step.spec["where"],
                is_final=not any(_removes(later, step.spec["table"]) for later in steps[position + 1 :]),
            )
            for position, step in enumerate(steps)
            # what a copy left is known by its certificate: its rows go on matching where they were
            if step.kind == "backfill" and step.spec.get("where") and not step.spec.get("into")
        ),
    )


#: What a rollback promises of its own; the schema before the run is compared as a whole.
NOTHING = Expectations(objects={}, loose=frozenset(), checks=(), backfills=())


def _removes(step: Step, table: str) -> bool:
    """True where a step drops or renames the table or one of its columns, so that an older condition may not parse any more."""
    statements: Sequence[Statement] = split(step.spec["sql"]) if step.kind == "sql" else ()
    ledger = Ledger()
    ledger.follow(statements)
    bare = table.rpartition(".")[2]
    names = {table, bare}
    return any(
        not there and (name in names or name.rpartition(".")[0] in names) and kind != "constraint"
        for (kind, name), there in ledger.objects.items()
    )
