"""The states of a run and of a step run: one table of legal moves, each with its reason.

Buttons, the CHECK constraint, the diagram in docs/run-states.md, the live page and recovery are derived from it. Asking and
happening are different states: a run that was asked to pause is ``pausing`` until its worker reached a safe point.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.errors import MovedMeanwhileError


class RunState(StrEnum):
    """Where a run stands."""

    SCHEDULED = "scheduled"
    WAITING_WINDOW = "waiting_window"
    RUNNING = "running"
    WAITING_GATE = "waiting_gate"
    WAITING_TARGET = "waiting_target"
    PAUSING = "pausing"
    PAUSED = "paused"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    VERIFYING = "verifying"
    MONITORING = "monitoring"
    COMPLETED = "completed"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"

    @property
    def words(self) -> str:
        """As a sentence says it: run 7 is ``waiting at a gate``."""
        return _WORDS.get(self.value, self.value.replace("_", " "))


_WORDS = {
    "waiting_window": "waiting for its window",
    "waiting_gate": "waiting at a gate",
    "waiting_target": "waiting for the target",
    "monitoring": "done and being watched",
}


class Move(StrEnum):
    """What makes a run go from one state to the next."""

    WAIT_FOR_WINDOW = "wait_for_window"
    START = "start"
    REACH_GATE = "reach_gate"
    OPEN_GATE = "open_gate"
    LOSE_TARGET = "lose_target"
    FIND_TARGET = "find_target"
    ASK_PAUSE = "ask_pause"
    PAUSE = "pause"
    RESUME = "resume"
    FAIL = "fail"
    RETRY = "retry"
    RESTART = "restart"
    SKIP_STEP = "skip_step"
    ASK_CANCEL = "ask_cancel"
    CANCEL = "cancel"
    FINISH_STEPS = "finish_steps"
    VERIFY = "verify"
    CLOSE = "close"
    ROLL_BACK = "roll_back"
    ROLL_BACK_DONE = "roll_back_done"
    ROLL_BACK_STOPPED = "roll_back_stopped"


@dataclass(frozen=True, slots=True)
class Transition:
    """One legal move."""

    source: RunState
    move: Move
    target: RunState
    #: one sentence: the consequence, shown beside the button or in the log
    reason: str


_S, _M = RunState, Move
TRANSITIONS: tuple[Transition, ...] = (
    Transition(_S.SCHEDULED, _M.WAIT_FOR_WINDOW, _S.WAITING_WINDOW, "Its time or its maintenance window has not come yet."),
    Transition(_S.SCHEDULED, _M.START, _S.RUNNING, "A worker took the run; every gate was checked again."),
    Transition(_S.SCHEDULED, _M.FAIL, _S.FAILED, "The last look before the first change found something; nothing was changed."),
    Transition(_S.SCHEDULED, _M.ASK_CANCEL, _S.CANCELLED, "Nothing was done on the target."),
    Transition(_S.WAITING_WINDOW, _M.START, _S.RUNNING, "The window is open."),
    Transition(
        _S.WAITING_WINDOW, _M.FAIL, _S.FAILED, "The last look before the first change found something; nothing was changed."
    ),
    Transition(_S.WAITING_WINDOW, _M.ASK_CANCEL, _S.CANCELLED, "Nothing was done on the target."),
    Transition(_S.RUNNING, _M.REACH_GATE, _S.WAITING_GATE, "A person has to confirm before the next step."),
    Transition(_S.WAITING_GATE, _M.OPEN_GATE, _S.RUNNING, "Goes on with the next step."),
    Transition(_S.WAITING_GATE, _M.ASK_CANCEL, _S.CANCELLED, "Stops for good; finished steps stay done."),
    Transition(_S.WAITING_GATE, _M.ASK_PAUSE, _S.PAUSED, "Stays at the gate; resuming waits for it again."),
    Transition(
        _S.RUNNING, _M.LOSE_TARGET, _S.WAITING_TARGET, "The target does not answer; the ledger there tells what took effect."
    ),
    Transition(_S.WAITING_TARGET, _M.FIND_TARGET, _S.RUNNING, "The target answers again; goes on where the ledger says."),
    Transition(_S.WAITING_TARGET, _M.FAIL, _S.FAILED, "The target stayed away longer than this run's patience."),
    Transition(_S.WAITING_TARGET, _M.ASK_PAUSE, _S.PAUSED, "Stops waiting; resume when the target is back."),
    Transition(_S.WAITING_TARGET, _M.ASK_CANCEL, _S.CANCELLING, "Stops for good at the next contact; finished steps stay done."),
    Transition(
        _S.RUNNING, _M.ASK_PAUSE, _S.PAUSING, "Stops at the next safe point; a long statement is cancelled and repeated later."
    ),
    Transition(_S.PAUSING, _M.PAUSE, _S.PAUSED, "Stopped between two units of work; nothing is half done."),
    Transition(_S.PAUSING, _M.REACH_GATE, _S.PAUSED, "Stopped at a gate."),
    Transition(_S.PAUSING, _M.FAIL, _S.FAILED, "The step failed before it could pause."),
    Transition(_S.PAUSING, _M.LOSE_TARGET, _S.PAUSED, "The target does not answer; stopped, the ledger tells what took effect."),
    Transition(_S.PAUSING, _M.FINISH_STEPS, _S.VERIFYING, "The last unit was done before the pause could take hold."),
    Transition(_S.PAUSING, _M.ROLL_BACK_DONE, _S.COMPLETED, "The last unit was undone before the pause could take hold."),
    Transition(_S.PAUSING, _M.RESUME, _S.RUNNING, "Goes on without stopping."),
    Transition(_S.PAUSING, _M.ASK_CANCEL, _S.CANCELLING, "Stops for good at the next safe point; finished steps stay done."),
    Transition(_S.PAUSED, _M.RESUME, _S.RUNNING, "Goes on exactly where it stopped."),
    Transition(_S.PAUSED, _M.ASK_CANCEL, _S.CANCELLED, "Stops for good; finished steps stay done."),
    Transition(_S.PAUSED, _M.ROLL_BACK, _S.ROLLING_BACK, "A run of its own undoes the finished steps."),
    Transition(_S.RUNNING, _M.FAIL, _S.FAILED, "A step failed; finished steps stay done, the failed unit was rolled back."),
    Transition(_S.FAILED, _M.RETRY, _S.RUNNING, "Tries the failed step again."),
    Transition(_S.FAILED, _M.RESTART, _S.SCHEDULED, "Begins anew: its time, its window and every gate are checked again."),
    Transition(
        _S.FAILED, _M.SKIP_STEP, _S.RUNNING, "Goes on with the next step; the skipped one stays undone, with your reason."
    ),
    Transition(_S.FAILED, _M.ASK_CANCEL, _S.CANCELLED, "Stops for good; finished steps stay done."),
    Transition(_S.FAILED, _M.ROLL_BACK, _S.ROLLING_BACK, "A run of its own undoes the finished steps."),
    Transition(_S.RUNNING, _M.ASK_CANCEL, _S.CANCELLING, "Stops for good at the next safe point; finished steps stay done."),
    Transition(_S.CANCELLING, _M.CANCEL, _S.CANCELLED, "Stopped between two units of work; nothing is half done."),
    Transition(_S.CANCELLING, _M.REACH_GATE, _S.CANCELLED, "Stopped at a gate."),
    Transition(_S.CANCELLING, _M.FAIL, _S.CANCELLED, "The step failed while it was being cancelled; its unit was rolled back."),
    Transition(_S.CANCELLING, _M.LOSE_TARGET, _S.CANCELLED, "The target does not answer; stopped for good."),
    Transition(_S.CANCELLING, _M.FINISH_STEPS, _S.VERIFYING, "The last unit was done before the cancellation could take hold."),
    Transition(
        _S.CANCELLING, _M.ROLL_BACK_DONE, _S.COMPLETED, "The last unit was undone before the cancellation could take hold."
    ),
    Transition(_S.CANCELLED, _M.ROLL_BACK, _S.ROLLING_BACK, "A run of its own undoes the finished steps."),
    Transition(_S.RUNNING, _M.FINISH_STEPS, _S.VERIFYING, "All steps are done; the result is compared with what was planned."),
    Transition(_S.RUNNING, _M.ROLL_BACK_DONE, _S.COMPLETED, "Everything that can be undone is undone."),
    Transition(_S.VERIFYING, _M.VERIFY, _S.MONITORING, "The result is as planned; figures are watched for a week."),
    Transition(_S.VERIFYING, _M.FAIL, _S.FAILED, "The result is not what was planned."),
    Transition(_S.VERIFYING, _M.LOSE_TARGET, _S.WAITING_TARGET, "The target does not answer; verification waits."),
    Transition(_S.MONITORING, _M.CLOSE, _S.COMPLETED, "The last window was signed off."),
    Transition(_S.MONITORING, _M.ROLL_BACK, _S.ROLLING_BACK, "A run of its own undoes the finished steps."),
    Transition(_S.COMPLETED, _M.ROLL_BACK, _S.ROLLING_BACK, "A run of its own undoes the finished steps."),
    Transition(_S.ROLLED_BACK, _M.ROLL_BACK, _S.ROLLING_BACK, "A run of its own undoes the finished steps that are left."),
    Transition(_S.ROLLING_BACK, _M.ROLL_BACK_DONE, _S.ROLLED_BACK, "Its rollback run finished."),
    Transition(_S.ROLLING_BACK, _M.ROLL_BACK_STOPPED, _S.FAILED, "Its rollback run ended before everything was undone."),
)

#: States in which a worker has something to do, now or at ``wake_at``.
DRIVEN = frozenset({_S.SCHEDULED, _S.WAITING_WINDOW, _S.RUNNING, _S.PAUSING, _S.CANCELLING, _S.VERIFYING, _S.WAITING_TARGET})
#: States that hold the target: at most one run of a target is in one of them (a unique index says so).
ACTIVE = DRIVEN | {_S.WAITING_GATE, _S.PAUSED, _S.FAILED}
#: States from which a run never moves by itself.
FINISHED = frozenset({_S.CANCELLED, _S.COMPLETED, _S.ROLLED_BACK})


class StepState(StrEnum):
    """Where one step of a run stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    ROLLED_BACK = "rolled_back"


class IllegalMoveError(MovedMeanwhileError):
    """That move is not possible in the run's present state."""


def transition(state: RunState, move: Move) -> Transition:
    """The row of the table for that move in that state.

    Raises IllegalMoveError where there is none, naming the moves that are open.
    """
    for row in TRANSITIONS:
        if row.source is state and row.move is move:
            return row
    names = ", ".join(row.move.value.replace("_", " ") for row in moves_from(state)) or "none"
    raise IllegalMoveError(
        f"The run is {state.words}: it can't {move.value.replace('_', ' ')} now.",
        hint=f"Open from here: {names}. Load the page again to see its present state.",
    )


def moves_from(state: RunState) -> tuple[Transition, ...]:
    """Every legal move out of a state, in the table's order."""
    return tuple(row for row in TRANSITIONS if row.source is state)


def states(rows: Iterable[Transition] = TRANSITIONS) -> tuple[RunState, ...]:
    """All states that the table mentions, in the order of the enum."""
    named = {row.source for row in rows} | {row.target for row in rows}
    return tuple(state for state in RunState if state in named)
