"""The session that a walk works through: short lock waits, short statements, asynchronous commits.

Lock wait and statement together stay below half of deadlock_timeout: whoever closes a circle with us, the application is never
the one that the database ends.
"""

from app.target.session import Target

#: A batch waits for a row lock no longer than this; smaller where deadlock_timeout is small.
LOCK_TIMEOUT_MS = 250
_TIMEOUTS = """
SELECT extract(epoch FROM current_setting('deadlock_timeout')::interval)::float8 * 1000
"""


def open_walk_session(dsn: str, *, purpose: str) -> Target:
    """A session for batches; ``statement_timeout`` covers lock wait and work."""
    target = Target.connect(dsn, purpose=purpose)
    connection = target.connection
    row = connection.execute(_TIMEOUTS).fetchone()
    limits = {"synchronous_commit": "off", **batch_limits(float(row[0]) if row else 1000.0)}
    for name, value in limits.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    # a prepared plan is made once for a walk of thousands of equal statements
    connection.prepare_threshold = 2
    return target


def batch_limits(deadlock_timeout_ms: float) -> dict[str, str]:
    """lock_timeout and statement_timeout of a batch, in milliseconds as text."""
    whole = max(20.0, deadlock_timeout_ms / 2)
    return {"lock_timeout": str(int(min(LOCK_TIMEOUT_MS, whole / 2))), "statement_timeout": str(int(whole))}


def lengthen_statements(target: Target, milliseconds: int) -> None:
    """Give a single row that is slow by itself (a trigger, a large value) more time than the rule above would."""
    target.connection.execute("SELECT set_config('statement_timeout', %s, false)", (str(milliseconds),))
