"""What a statement would wait for if it ran at the moment of the analysis."""

from collections.abc import Iterator, Sequence

from app.analysis.context import Context
from app.analysis.in_the_way import USUAL_TIMEOUT_MS, Obstacle, obstacles
from app.analysis.rule import Hit, Risk, Rule, manual

_NAMED = 3


def check(context: Context) -> Iterator[Hit]:
    """Hit where somebody holds what the statement needs for longer than it would wait."""
    activity = context.options.activity
    if activity is None or not context.effect.is_ddl:
        return
    held = {lock.relation for lock in context.state.transaction.held} if context.state.transaction else set()
    wanted = [(lock.relation, lock.mode) for lock in context.footprint.locks if lock.relation not in held]
    patience = (context.options.lock_timeout_ms or USUAL_TIMEOUT_MS) / 1000
    waits = bool(context.body.get("concurrent"))
    old = [each for each in obstacles(wanted, activity, needs_snapshots=waits) if (each.seconds or 0.0) > patience]
    if old:
        yield Hit(risk=_level(old), message=f"It would wait now: {_named(old)}. Read {activity.at.replace('T', ' ')[:19]} UTC.")


def _level(old: Sequence[Obstacle]) -> Risk:
    if any(each.prevents_wraparound or each.pid == 0 for each in old):
        return "high"
    return "low" if all(each.gives_way or each.is_own for each in old) else "medium"


def _named(old: Sequence[Obstacle]) -> str:
    shown = "; ".join(each.sentence() for each in old[:_NAMED])
    return shown if len(old) <= _NAMED else f"{shown}; and {len(old) - _NAMED} more"


RULE = Rule(
    id="blocked-right-now",
    title="Somebody holds what the statement needs, at this moment",
    why="A lock that conflicts is waited for, and everybody who comes later queues behind the request. Headgate waits outside "
    "the queue until an old transaction has ended; an autovacuum gives way after a second, unless it prevents wraparound, and a "
    "prepared transaction waits for a person. It says nothing about another hour: analyse again before the run.",
    source=manual("explicit-locking.html#LOCKING-TABLES"),
    level="medium",
    bad="ALTER TABLE users ADD COLUMN note text;",
    good=None,
    check=check,
    needs_target="an open transaction holds the table",
)
