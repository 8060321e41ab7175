"""A lock that is waited for without limit."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for the first statement that waits for a blocking lock without lock_timeout."""
    if context.options.runs_here or not context.effect.is_transactional:
        return
    value = context.state.setting("lock_timeout")
    if value not in {None, "0", "0s", "0ms", "None"}:
        return
    blocking = [lock for lock in context.footprint.locks if lock.blocks and not context.state.table(lock.relation).is_new]
    if blocking:
        yield Hit(
            risk="low",
            message=f"No lock_timeout: while this waits for {blocking[0].mode} on {blocking[0].relation}, everybody else queues "
            "behind it.",
            safer="SET lock_timeout = '2s';  -- and try again when it fails; Headgate's own runs do so by themselves",
        )


RULE = Rule(
    id="no-lock-timeout",
    title="A lock is waited for without limit",
    why="A statement that waits for a strong lock makes every later statement on the table wait behind it, even plain reads: one "
    "idle transaction is enough to stop the application.",
    source=manual("runtime-config-client.html#GUC-LOCK-TIMEOUT"),
    level="low",
    bad="ALTER TABLE users ADD COLUMN extra text;",
    good="SET lock_timeout = '2s';\nALTER TABLE users ADD COLUMN extra text;",
    check=check,
)
