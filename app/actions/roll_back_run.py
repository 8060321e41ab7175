"""Undo what a run did: a run of its own, that works backwards through the finished steps."""

from typing import Literal

from sqlalchemy.exc import IntegrityError

from app.actions import reach, wording
from app.actions.moving import held, is_done, move, note
from app.actions.permissions import Permission
from app.actions.starting import TargetTakenError
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.plan.model import Plan as Content
from app.run.events import RunCreated
from app.run.states import FINISHED, Move, RunState, StepState, transition
from app.store import people, plans, runs, targets
from app.store.events import append_event
from app.store.runs import NewRun
from app.store.tables.runs import Run
from app.store.words import Direction

Scope = Literal["all", "phase", "step"]
#: a step that failed or was interrupted may have committed some of its units
_TOUCHED = frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.RUNNING, StepState.WAITING})


def roll_back_run(work: Work, *, run_id: int, target_name: str, scope: Scope = "all", of: str = "") -> Run:
    """Start the rollback of a forward run, of one phase or of one step (``of`` names it); returns the rollback run.

    ``target_name`` is the target's name, typed. Asked again while it is under way, the same rollback run is returned.
    Raises NotFoundError, NotAllowedError, InvalidInputError, IllegalMoveError, TargetTakenError.
    """
    run = held(work, run_id, Permission.ROLL_BACK)
    target = targets.get(work.session, run.target_id)
    wording.typed(target_name, target.name, "target_name", "the target")
    if is_done(run, (RunState.ROLLING_BACK,)):
        under_way = next((back for back in runs.rollbacks_of(work.session, run.id) if back.state not in FINISHED), None)
        if under_way is not None:
            return under_way
    if run.direction is not Direction.FORWARD:
        raise MovedMeanwhileError("This is a rollback itself.", hint="Start the plan again to go forward.")
    transition(run.state, Move.ROLL_BACK)
    content = plans.content(plans.revision(work.session, run.revision_id))
    steps = _steps(work, run, content, scope, of)
    reach.hold(work, target)
    taken = runs.active_on(work.session, target.id)
    if taken is not None and taken.id != run.id:
        starter = people.names(work.session, {taken.created_by}).get(taken.created_by, "somebody")
        raise TargetTakenError(taken, target.name, starter)
    move(work, run, Move.ROLL_BACK, scope=scope, of=of, steps=steps)
    return _insert(work, run, content, steps)


def _steps(work: Work, run: Run, content: Content, scope: Scope, of: str) -> list[str]:
    touched = [
        step.step_id
        for step in runs.steps(work.session, run.id)
        if step.kind in runs.CHANGING
        and step.state in _TOUCHED
        and (scope == "all" or of == (step.phase if scope == "phase" else step.step_id))
    ]
    if not touched:
        raise wording.refused("of" if of else "scope", "Nothing that can be undone was done there.")
    return [step.id for step in content.steps() if step.id in touched]


def _insert(work: Work, run: Run, content: Content, steps: list[str]) -> Run:
    new = NewRun(
        plan_id=run.plan_id,
        revision_id=run.revision_id,
        target_id=run.target_id,
        created_by=work.actor.person_id,
        now=work.now,
        direction=Direction.ROLLBACK,
        forward_run_id=run.id,
        scope=tuple(steps),
        options=dict(run.options),
        catalog_fingerprint=targets.get(work.session, run.target_id).schema_fingerprint,
    )
    try:
        with work.session.begin_nested():
            back = runs.add(work.session, new, content)
    except IntegrityError:
        raise MovedMeanwhileError("The target was taken by another run just now.", hint="Load the page again.") from None
    digest = plans.revision(work.session, run.revision_id).digest
    created = RunCreated(by=work.actor.name, plan=content.name, digest=digest, direction="rollback")
    append_event(work.session, back.id, created, at=work.now)
    note(work, back, "start_rollback", forward_run=run.id, steps=steps)
    work.wake("advance", back.id)
    return back
