"""Kind `backfill`: many rows in small committed batches, each with its checkpoint on the target, exactly once."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from app.backfill.definition import read_definition
from app.backfill.execute import run_backfill
from app.backfill.order import BackfillOrder
from app.plan.backfills import as_sentence
from app.plan.model import Step
from app.steps.protocol import Done, StepContext, StepRun


def job_of(run: UUID, step: str, direction: str = "forward") -> UUID:
    """The name of a step's checkpoint: the same in every attempt and for every worker."""
    return uuid5(run, f"{direction} {step}")


class Backfill:
    """Walks a table in page windows or along a key; goes on from the checkpoint wherever it was stopped."""

    name = "backfill"

    def describe(self, step: Step) -> str:
        """One plain sentence."""
        return f"{as_sentence(step.spec)}, in small batches"

    def run(self, context: StepContext) -> StepRun:
        """Walk what is left; every yield is a safe point, since the target knows what was committed."""
        order = BackfillOrder(
            dsn=context.dsn,
            schema=context.ledger_schema,
            run=context.run,
            job=job_of(context.run, context.step.id, context.direction),
            epoch=context.fence,
            step=context.step.id,
            purpose=f"run {context.run_label} step {context.position}",
            definition=read_definition(context.step.spec),
            clock=context.clock,
            rest=context.rest,
            patience_seconds=context.locks.patience_ms / 1000,
            speed=lambda: _speed(context.options),
            watch=context.watch,
        )
        return Done(result=(yield from run_backfill(order)))


def _speed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Profile and limit as people want them: ``speed``, which may be a function, comes before what the run began with."""
    asked = options.get("speed") or {}
    wanted = {**options, **(asked() if callable(asked) else asked)}
    return {name: wanted[name] for name in ("profile", "max_rate") if wanted.get(name) is not None}
