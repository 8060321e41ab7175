"""A lock_timeout below deadlock_timeout."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.analysis.settings import milliseconds

#: PostgreSQL's default of deadlock_timeout: after so long a waiter asks an autovacuum to give way
DEADLOCK_TIMEOUT_MS = 1_000.0


def check(context: Context) -> Iterator[Hit]:
    """Hit where the wait ends before an autovacuum would give way, and where it cuts an index that is built beside."""
    limit = milliseconds(context.state.setting("lock_timeout"))
    if not limit or context.options.runs_here:
        return
    if context.body.get("concurrent") and context.kind in {"IndexStmt", "DropStmt"}:
        yield Hit(
            risk="low",
            message="CONCURRENTLY waits for old transactions, and lock_timeout cuts that wait: an INVALID index stays behind.",
            safer="SET lock_timeout = 0;  -- for this statement, after a look at old transactions",
        )
    elif limit <= DEADLOCK_TIMEOUT_MS:
        waits = [lock for lock in context.footprint.locks if lock.blocks and not context.state.table(lock.relation).is_new]
        if waits:
            yield Hit(
                risk="low",
                message=f"lock_timeout is {limit:.0f} ms, not more than deadlock_timeout (1 s): an autovacuum of "
                f"{waits[0].relation} "
                "never gives way, so every try fails while one runs.",
                safer="SET lock_timeout = '2s';",
            )


RULE = Rule(
    id="lock-timeout-too-short",
    title="lock_timeout ends before an autovacuum gives way",
    why="An autovacuum is cancelled by whoever has waited for it for deadlock_timeout (1 s). Measured: with 200, 500 "
    "and 900 ms every "
    "try failed, with 2 s it succeeded after 1.0 s. Short tries are fine as the first rungs of a ladder whose last "
    "one is longer.",
    source=manual("runtime-config-locks.html#GUC-DEADLOCK-TIMEOUT"),
    level="low",
    bad="SET lock_timeout = '500ms';\nALTER TABLE users ADD COLUMN extra text;",
    good="SET lock_timeout = '2s';\nALTER TABLE users ADD COLUMN extra text;",
    check=check,
)
