"""Go on without the step that failed: it stays undone, with a reason."""

from sqlalchemy import update

from app.actions import wording
from app.actions.moving import held, move, refuse_after_undoing
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.run.events import StepSkipped
from app.run.states import Move, StepState, transition
from app.store.tables.runs import Run, RunStep


def skip_step(work: Work, *, run_id: int, step_id: str, reason: str) -> Run:
    """Skip the failed step; skipping it again changes nothing.

    Raises NotFoundError, NotAllowedError, InvalidInputError without a reason, IllegalMoveError, MovedMeanwhileError.
    """
    run = held(work, run_id)
    why = wording.reason(reason)
    step = work.session.get(RunStep, (run.id, step_id), populate_existing=True)
    if step is not None and step.state is StepState.SKIPPED:
        return run
    transition(run.state, Move.SKIP_STEP)
    if step is None or step_id != run.current_step or step.state is not StepState.FAILED:
        raise MovedMeanwhileError(
            f"Step {step_id} did not fail; only the failed step of a run can be skipped.", hint="Load the page again."
        )
    work.session.execute(
        update(RunStep)
        .where(RunStep.run_id == run.id, RunStep.step_id == step_id)
        .values(state=StepState.SKIPPED, finished_at=work.now)
    )
    refuse_after_undoing(work, run)
    skipped = StepSkipped(by=work.actor.name, step=step_id, reason=why)
    return move(work, run, Move.SKIP_STEP, also=(skipped,), step=step_id, reason_given=why)
