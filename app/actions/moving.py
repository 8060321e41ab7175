"""How a person moves a run: within rights, by compare-and-set, with its event, its audit line, and a bell for the workers."""

from collections.abc import Iterable
from typing import Any

from app.actions import reach
from app.actions.driving import refuse_unless_driver
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.run.events import Event
from app.run.states import DRIVEN, Move, RunState
from app.store import runs
from app.store.runs import move_run
from app.store.tables.runs import Run
from app.store.words import Direction

#: what the audit log calls a move: the verb that the person pressed
_ACTS = {
    Move.ASK_PAUSE: "pause_run",
    Move.RESUME: "resume_run",
    Move.ASK_CANCEL: "cancel_run",
    Move.RETRY: "retry_step",
    Move.RESTART: "retry_step",
    Move.SKIP_STEP: "skip_step",
    Move.OPEN_GATE: "open_gate",
    Move.ROLL_BACK: "roll_back_run",
    Move.CLOSE: "close_monitoring",
}


def move(
    work: Work,
    run: Run,
    act: Move,
    *,
    reason: str | None = None,
    also: Iterable[Event] = (),
    values: dict[str, Any] | None = None,
    **details: Any,
) -> Run:
    """Move a run whose row is held, ring for a worker where it now has something to do, and write the audit line.

    Raises IllegalMoveError where the run's present state has no such move.
    """
    seen = run.state
    state = move_run(
        work.session,
        run.id,
        seen=seen,
        move=act,
        now=work.now,
        by=work.actor.name,
        reason=reason,
        also=also,
        **{"wake_at": None, **(values or {})},
    )
    work.session.refresh(run)
    if state in DRIVEN:
        work.wake("advance", run.id)
    note(work, run, _ACTS[act], seen=seen.value, state=state.value, **details)
    return run


def note(work: Work, run: Run, act: str, **details: Any) -> None:
    """Write an audit line about a run."""
    work.note(act, "run", run.id, project_id=reach.project_of(work, run), **details)


def held(work: Work, run_id: int, permission: Permission = Permission.CONTROL_RUN) -> Run:
    """The run as it is now, its row held: whoever acts on it at the same time waits and then sees what was done.

    Raises NotFoundError, NotAllowedError, NotDriverError where somebody else drives it. Gates are opened by role, not by driver.
    """
    run = reach.run(work, run_id, permission, held=True)
    if permission is not Permission.OPEN_GATE:
        refuse_unless_driver(work, run)
    return run


def refuse_after_undoing(work: Work, run: Run) -> None:
    """A run whose steps were partly undone goes back or nowhere: forward, it would go on as if they were still there.

    Raises MovedMeanwhileError.
    """
    if run.direction is Direction.FORWARD and runs.has_undone_steps(work.session, run.id):
        raise MovedMeanwhileError(
            "A rollback undid steps of this run, so it can't go on forward.",
            hint="Roll back the rest, or cancel it and start the plan again from its beginning.",
        )


def is_done(run: Run, states: Iterable[RunState]) -> bool:
    """True where the run is already where the person wants it: a form sent twice does it once."""
    return run.state in set(states)
