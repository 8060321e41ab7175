"""Kind `sql`: statements in the order written, each unit exactly once, the ledger on the target telling which are done."""

from app.backfill.ledger import Ledger, LedgerMismatchError
from app.plan.model import Step
from app.run.events import UnitFoundDone
from app.steps.autocommit import run_repeatable
from app.steps.detach import detach
from app.steps.index import create_index, drop_index
from app.steps.protocol import Done, StepContext, StepRun
from app.steps.reindex import reindex
from app.steps.sql_run import Moves, SqlRun, policy_of
from app.steps.transaction import run_group, say_again
from app.steps.units import Unit, settings_before, units_of

_WAYS = {"transaction": run_group, "detach": detach, "repeat": run_repeatable}
#: beside the traffic, by the kind of statement
_INDEX_WAYS = {"IndexStmt": create_index, "DropStmt": drop_index, "ReindexStmt": reindex}


class Sql:
    """Runs one or more statements."""

    name = "sql"
    #: its units have ledger rows of their own
    leaves_units = True

    def describe(self, step: Step) -> str:
        """One plain sentence."""
        units = units_of(step.spec["sql"], share=step.spec.get("transaction", True))
        count = sum(len(unit.parts) for unit in units)
        statements = "1 statement" if count == 1 else f"{count} statements"
        alone = sum(unit.way != "transaction" for unit in units)
        return f"Runs {statements} in {len(units)} unit{'s' * (len(units) != 1)} of work" + (
            f", {alone} of them outside a transaction" if alone else ""
        )

    def run(self, context: StepContext) -> StepRun:
        """Do the units that the ledger does not have yet."""
        spec = context.step.spec
        units = units_of(spec["sql"], share=spec.get("transaction", True), file=context.step.source_file)
        ledger = Ledger(schema=context.ledger_schema, run=context.run, fence=context.fence, direction=context.direction)
        must_finish = any(unit.way == "index" for unit in units)
        with context.connect(ends_with_client=not must_finish) as target:
            run = SqlRun(
                context=context,
                target=target,
                ledger=ledger,
                policy=policy_of(context),
                units=units,
                rows=ledger.units(target, context.step.id),
            )
            yield from _units(run)
        return Done(result={"units": len(units), "statements": sum(len(unit.parts) for unit in units)})


def _units(run: SqlRun) -> Moves:
    is_first = True
    for unit in run.units:
        if _is_done(run, unit):
            if run.context.is_recovery:
                yield UnitFoundDone(step=run.step, unit=unit.number)
            continue
        if is_first:
            say_again(run, settings_before(run.units, unit.number))
            is_first = False
        way = _INDEX_WAYS[unit.parts[0].statement.kind] if unit.way == "index" else _WAYS[unit.way]
        yield from way(run, unit)


def _is_done(run: SqlRun, unit: Unit) -> bool:
    row = run.rows.get(unit.number)
    if row is None or row.state == "trying":
        return False
    if row.digest != unit.digest:
        raise LedgerMismatchError(
            f"The ledger on the target tells of another unit {unit.number} in step {run.step} than the plan has now.",
            hint="The step's SQL was changed after a part of it ran: make a new plan for what is left.",
        )
    return row.state == "done"
