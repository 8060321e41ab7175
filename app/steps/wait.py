"""Kind `wait`: let some time pass; counted from the moment that the ledger on the target remembers, whoever looks."""

from datetime import timedelta

from app.backfill.ledger import Ledger
from app.plan.model import Step
from app.run.events import WaitStarted
from app.steps.protocol import Done, StepContext, StepRun, Waiting


class Wait:
    """Waits so many seconds."""

    name = "wait"

    def describe(self, step: Step) -> str:
        """One plain sentence."""
        return f"Waits {step.spec['seconds']} seconds"

    def run(self, context: StepContext) -> StepRun:
        """Say until when and let go of the run; done once that time has come."""
        step = context.step
        ledger = Ledger(schema=context.ledger_schema, run=context.run, fence=context.fence, direction=context.direction)
        with context.connect() as target:
            row = ledger.units(target, step.id).get(1)
            since = row.waiting_since if row else None
            if since is None:
                since = context.clock.now()
                ledger.record_attempt(target, step.id, 1, "wait", attempts=0, waiting_since=since)
                until = since + timedelta(seconds=float(step.spec["seconds"]))
                yield WaitStarted(step=step.id, until=until.isoformat())
        until = since + timedelta(seconds=float(step.spec["seconds"]))
        if context.clock.now() >= until:
            return Done(result={"until": until.isoformat()})
        return Waiting(on="time", reason=self.describe(step), until=until)
