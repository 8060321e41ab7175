"""An aborted run that has stopped is rolled back in the transaction that stopped it: nobody has to press a second time."""

from sqlalchemy.orm import Session

from app.actions.undoing import begin_rollback, touched
from app.actions.work import Actor, Work
from app.actions.worker.desk import Desk
from app.run.states import RunState
from app.store import people
from app.store.tables.runs import Run
from app.store.words import Ask

#: Where a run stands once it has stopped, or ended before it could.
_STOPPED = frozenset({RunState.CANCELLED, RunState.FAILED, RunState.MONITORING})


def roll_back_aborted(desk: Desk, session: Session, run: Run) -> RunState | None:
    """Begin the rollback that was asked for with the stop, in the asker's name; None where none was, or nothing was done.

    The run's row is held. The rollback run is woken by the next sweep.
    """
    session.refresh(run)
    if run.asked is not Ask.ABORT or run.state not in _STOPPED or run.asked_by is None:
        return None
    asker = people.get(session, run.asked_by)
    work = Work(session=session, actor=Actor(person_id=asker.id, name=asker.name), clock=desk.clock, settings=desk.settings)
    if not touched(work, run):
        return None
    begin_rollback(work, run)
    return run.state
