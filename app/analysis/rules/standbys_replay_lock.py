"""ACCESS EXCLUSIVE that is held for a while, where standbys replay it."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for a long lock that stops reads on the standbys as well."""
    standbys = context.options.standbys
    if not standbys or not (context.footprint.rewrites or context.footprint.scans or context.footprint.builds):
        return
    for lock in context.footprint.locks:
        table = context.state.table(lock.relation)
        if lock.mode == "ACCESS EXCLUSIVE" and not context.is_small(table):
            count = "1 standby replays" if standbys == 1 else f"{standbys} standbys replay"
            yield Hit(
                risk="low",
                message=f"{count} ACCESS EXCLUSIVE on {lock.relation}: reads of it wait there, too, or replay waits "
                "for them up to "
                "max_standby_streaming_delay and then cancels them.",
            )
            return


RULE = Rule(
    id="standbys-replay-lock",
    title="Standbys replay the lock: reads wait there, too",
    why="ACCESS EXCLUSIVE is written to the WAL and taken on every hot standby. Queries there that use the table are "
    "in conflict with "
    "it: replay waits for them as long as max_standby_streaming_delay says, then they are cancelled, and meanwhile "
    "the standby falls "
    "behind.",
    source=manual("hot-standby.html#HOT-STANDBY-CONFLICT"),
    level="low",
    bad="ALTER TABLE users ALTER COLUMN age TYPE bigint;",
    good=None,
    check=check,
    needs_target="a standby follows the server",
)
