"""What rolling back and aborting have in common: the rollback run that undoes a forward run, or a part of it."""

from typing import Literal

from sqlalchemy.exc import IntegrityError

from app.actions import reach, wording
from app.actions.moving import move, note
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
from app.store.tables.targets import Target
from app.store.words import Direction

Scope = Literal["all", "phase", "step"]
SCOPES: tuple[Scope, ...] = ("all", "phase", "step")
#: a step that failed or was interrupted may have committed some of its units
_TOUCHED = frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.RUNNING, StepState.WAITING})


def under_way(work: Work, run: Run) -> Run | None:
    """The rollback run that undoes the run now."""
    return next((back for back in runs.rollbacks_of(work.session, run.id) if back.state not in FINISHED), None)


def touched(work: Work, run: Run, scope: Scope = "all", of: str = "") -> list[str]:
    """The steps of a forward run that may have changed something and are not undone yet, in the plan's order."""
    return [
        step.step_id
        for step in runs.steps(work.session, run.id)
        if step.kind in runs.CHANGING
        and step.state in _TOUCHED
        and (scope == "all" or of == (step.phase if scope == "phase" else step.step_id))
    ]


def begin_rollback(work: Work, run: Run, *, scope: Scope = "all", of: str = "") -> Run:
    """Start the rollback of a forward run whose row is held; returns the rollback run.

    Raises InvalidInputError where nothing is there to undo, IllegalMoveError, TargetTakenError, MovedMeanwhileError.
    """
    transition(run.state, Move.ROLL_BACK)
    content = plans.content(plans.revision(work.session, run.revision_id))
    steps = touched(work, run, scope, of)
    if not steps and run.state is RunState.ROLLED_BACK:
        raise MovedMeanwhileError(
            "The run was rolled back already, and nothing of that is left to undo.", hint="Open its page to see what was undone."
        )
    if not steps:
        raise wording.refused("of" if of else "scope", "Nothing that can be undone was done there.")
    target = targets.get(work.session, run.target_id)
    reach.hold(work, target)
    taken = runs.active_on(work.session, target.id)
    if taken is not None and taken.id != run.id:
        starter = people.names(work.session, {taken.created_by}).get(taken.created_by, "somebody")
        raise TargetTakenError(taken, target.name, starter)
    move(work, run, Move.ROLL_BACK, values={"asked": None, "asked_by": None}, scope=scope, of=of, steps=steps)
    return _insert(work, run, target, content, steps)


def _insert(work: Work, run: Run, target: Target, content: Content, steps: list[str]) -> Run:
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
        catalog_fingerprint=target.schema_fingerprint,
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
