"""Taking a run on its target: ends what earlier holders left there, takes the target's lock, raises the fence."""

import time
from collections.abc import Callable

from app.backfill.ledger import Ledger, Taken
from app.backfill.ledger_tables import ensure_ledger
from app.target.errors import TargetError, TargetUnreachableError
from app.target.session import Target

#: A session that was told to end needs a moment; a target that is held longer than this is held by another run.
PATIENCE_SECONDS = 5.0
_LOOK_SECONDS = 0.1

#: Sessions of one run by their name; a build beside the traffic is left alone where it may be adopted.
_END = """
    SELECT a.pid, pg_catalog.pg_terminate_backend(a.pid, 5000) AS ended
      FROM pg_catalog.pg_stat_activity AS a
     WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
       AND (a.application_name = %(name)s OR starts_with(a.application_name, %(name)s || ' '))
       AND (%(with_builders)s OR NOT EXISTS (
            SELECT FROM pg_catalog.pg_stat_progress_create_index AS p WHERE p.pid = a.pid AND p.command LIKE '%%CONCURRENTLY'))
"""
_LOCK = "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended('headgate run: ' || %(schema)s, 0)) AS taken"
_HOLDER = """
    SELECT a.pid, a.application_name AS app
      FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
       AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
       AND ((l.classid::bigint << 32) | l.objid::bigint)
         = pg_catalog.hashtextextended('headgate run: ' || %(schema)s, 0)
"""


class TargetBusyError(TargetUnreachableError):
    """Another run holds this target."""


def take(target: Target, ledger: Ledger, label: str, rest: Callable[[float], None]) -> Taken:
    """Make the run on this target ours: after this, holders before us commit nothing.

    Raises FencedError where a later holder has it, TargetBusyError where another run works on the target, LedgerRightsError.
    """
    ensure_ledger(target, ledger.schema)
    seen = ledger.seen(target)
    ends_by_name = seen.is_known and not ledger.is_shared_label(target, label)
    if ends_by_name:
        end_sessions(target, label)
    _take_lock(target, ledger, rest)
    ledger.take(target, label)
    if ends_by_name:
        # one may have begun between the first look and the raised fence; from now on none can
        end_sessions(target, label)
    return seen


def end_sessions(target: Target, label: str, *, with_builders: bool = False) -> int:
    """End the run's other sessions on the target, and count them; a concurrent index build goes on unless asked for too."""
    return len(target.all(_END, {"name": f"headgate run {label}", "with_builders": with_builders}))


def _take_lock(target: Target, ledger: Ledger, rest: Callable[[float], None]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (target.one(_LOCK, {"schema": ledger.schema}) or {}).get("taken"):
        if time.monotonic() > deadline:
            holder = target.one(_HOLDER, {"schema": ledger.schema})
            who = f": pid {holder['pid']}, {holder['app']}" if holder else ""
            raise TargetBusyError(
                f"Another run works on this target{who}.",
                kind="other",
                hint="Wait for its end or stop it; at most one run changes a target at a time.",
            )
        rest(_LOOK_SECONDS)


def is_target_away(error: TargetError) -> bool:
    """True where waiting may help: the target, not the plan, is the reason."""
    return error.exit_code == TargetUnreachableError.exit_code
