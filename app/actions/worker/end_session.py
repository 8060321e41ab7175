"""Ends one session on a run's target: the very one that was seen, or none."""

from app.actions.worker.desk import Desk, Report, target_dsn
from app.run.events import SessionEnded
from app.store.events import append_event
from app.store.runs import get
from app.store.tables.control import SessionEnding
from app.store.words import EndingOutcome
from app.target.errors import TargetError
from app.target.session import Target

#: Looked at and ended in one statement, so that a pid that was given to somebody else meanwhile is left alone.
_END = """
    SELECT pg_catalog.pg_terminate_backend(a.pid, 2000) AS ended
      FROM pg_catalog.pg_stat_activity AS a
     WHERE a.pid = %(pid)s AND a.backend_start = %(backend_start)s AND a.datname = pg_catalog.current_database()
"""
_ROLE = "SELECT pg_catalog.quote_ident(current_user) AS name"
_INSUFFICIENT = "42501"


def end_session(desk: Desk, wish_id: int, _report: Report) -> None:
    """Do it, and keep what the target said.

    Raises TargetError where the target does not answer.
    """
    with desk.sessions() as session:
        wish = session.get_one(SessionEnding, wish_id)
        run_id, values = wish.run_id, {"pid": wish.pid, "backend_start": wish.backend_start}
        dsn = target_dsn(session, desk.settings, get(session, run_id).target_id)
    with Target.connect(dsn, purpose="ends a session", statement_timeout_ms=5000) as target:
        outcome, told = _end(target, values)
    with desk.sessions.begin() as session:
        wish = session.get_one(SessionEnding, wish_id)
        wish.outcome, wish.told, wish.done_at = outcome, told, desk.clock.now()
        append_event(session, run_id, SessionEnded(pid=wish.pid, outcome=outcome.value, message=told), at=desk.clock.now())


def _end(target: Target, values: dict[str, object]) -> tuple[EndingOutcome, str]:
    try:
        row = target.one(_END, values)
    except TargetError as error:
        if error.sqlstate != _INSUFFICIENT:
            raise
        role = (target.one(_ROLE) or {"name": "the role"})["name"]
        return EndingOutcome.REFUSED, f"{error.message}. Let a superuser run: GRANT pg_signal_backend TO {role}"
    if row is None:
        return EndingOutcome.GONE, "It had ended by itself."
    if row["ended"]:
        return EndingOutcome.ENDED, ""
    return EndingOutcome.REFUSED, "It was told to end, and was still there after two seconds."
