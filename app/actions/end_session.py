"""End the session that stands in a run's way: exactly the one that was seen, by a worker, with a reason."""

from datetime import datetime

from sqlalchemy import select

from app.actions import queueing, wording
from app.actions.driving import tell
from app.actions.moving import held
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.run.events import SessionEndAsked
from app.store.tables.control import SessionEnding
from app.store.tables.runs import Run, RunGauge
from app.store.words import EndingOutcome, JobKind


def end_session(work: Work, *, run_id: int, pid: int, backend_start: str, reason: str) -> SessionEnding:
    """Ask a worker to end it; the same session asked for again is the same wish, unless the target had refused it.

    ``backend_start`` is ISO 8601, as the run's figures show it. Raises NotFoundError, NotAllowedError, NotDriverError,
    InvalidInputError, and MovedMeanwhileError where the session does not stand in the way: others can't be ended from here.
    """
    run = held(work, run_id, Permission.END_SESSION)
    why, start = wording.reason(reason), _moment(backend_start)
    same = (SessionEnding.run_id == run.id, SessionEnding.pid == pid, SessionEnding.backend_start == start)
    wish = work.session.scalar(select(SessionEnding).where(*same))
    if wish is not None and wish.outcome is not EndingOutcome.REFUSED:
        return wish
    seen = _seen(work, run, pid, start)
    if wish is None:
        wish = SessionEnding(run_id=run.id, pid=pid, backend_start=start, sentence=seen, asked_by=work.actor.person_id)
        work.session.add(wish)
    wish.reason, wish.asked_by, wish.asked_at = why, work.actor.person_id, work.now
    wish.outcome, wish.told, wish.done_at = EndingOutcome.QUEUED, "", None
    work.session.flush()
    event = SessionEndAsked(by=work.actor.name, pid=pid, backend_start=start.isoformat(), session=seen, reason=why)
    tell(work, run, "end_session", event, pid=pid, backend_start=event.backend_start, session=seen, reason_given=why)
    queueing.job(work, JobKind.END_SESSION, wish.id)
    return wish


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise wording.refused("backend_start", "It has to be a moment with its time zone, as the run's figures show it.")
    return found


def _seen(work: Work, run: Run, pid: int, backend_start: datetime) -> str:
    gauge = work.session.get(RunGauge, run.id)
    for session in (gauge.payload.get("blocker_sessions") or ()) if gauge else ():
        if session["pid"] == pid and datetime.fromisoformat(session["backend_start"]) == backend_start:
            return str(session["session"])
    raise MovedMeanwhileError(
        f"The session with pid {pid} does not stand in the way of run {run.id} now.", hint="Load the page again."
    )
