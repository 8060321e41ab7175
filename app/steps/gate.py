"""Kind `gate`: the run waits until a person confirms what the plan asks; no worker is held meanwhile."""

from app.plan.model import Step
from app.run.events import GateReached
from app.steps.protocol import Done, StepContext, StepRun, Waiting


class Gate:
    """Asks a person."""

    name = "gate"

    def describe(self, step: Step) -> str:
        """One plain sentence."""
        return f"Waits until somebody confirms: {step.spec['ask']}"

    def run(self, context: StepContext) -> StepRun:
        """Done where the gate was opened; otherwise say what is asked and let go of the run."""
        step = context.step
        if step.id in context.opened_gates:
            return Done(result={"note": context.opened_gates[step.id]})
        ask = str(step.spec["ask"])
        yield GateReached(step=step.id, ask=ask, who=str(step.spec.get("who", "operator")))
        return Waiting(on="gate", reason=ask)
