"""Try the failed step of a run again."""

from sqlalchemy import update

from app.actions.load_readiness import load_readiness
from app.actions.moving import held, is_done, move, refuse_after_undoing
from app.actions.starting import NotReadyError
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.review.readiness import NotReady
from app.run.states import Move, RunState, StepState
from app.store.tables.runs import Run, RunStep
from app.store.words import Direction


def retry_step(work: Work, *, run_id: int, step_id: str | None = None) -> Run:
    """Retry where the run failed; ``step_id`` is the step that the page showed. A run that works already stays so.

    A run that failed before its first change has to be ready again.
    Raises NotFoundError, NotAllowedError, IllegalMoveError, MovedMeanwhileError, NotReadyError.
    """
    run = held(work, run_id)
    if is_done(run, (RunState.RUNNING, RunState.SCHEDULED)):
        return run
    if run.state is RunState.FAILED and step_id is not None and step_id != run.current_step:
        raise MovedMeanwhileError(f"It is step {run.current_step} that failed, not {step_id}.", hint="Load the page again.")
    refuse_after_undoing(work, run)
    never_began = run.started_at is None and run.state is RunState.FAILED
    if never_began and run.direction is Direction.FORWARD:
        _require_ready(work, run)
    # a run that failed before its first change begins at the beginning, where the worker looks at everything once more
    moved = move(work, run, Move.RESTART if never_began else Move.RETRY, step=run.current_step)
    work.session.execute(
        update(RunStep)
        .where(RunStep.run_id == run.id, RunStep.state == StepState.FAILED)
        .values(state=StepState.PENDING, finished_at=None, error=None)
    )
    return moved


def _require_ready(work: Work, run: Run) -> None:
    answer = load_readiness(work.session, revision_id=run.revision_id, target_id=run.target_id, now=work.now, run_id=run.id)
    if isinstance(answer, NotReady):
        raise NotReadyError(answer.missing)
