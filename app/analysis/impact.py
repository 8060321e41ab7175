"""Blast radius: a lock, how long it is held, and how often the relation is used -> how many statements would wait, how long.

A lock is held until its transaction ends, so what later statements of the transaction take counts, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.analysis.duration import Duration, in_words, total
from app.analysis.report import Impact, Lock, StatementReport, WorstMoment
from app.analysis.traffic import CallRate, Traffic

_NOTHING = Duration(low_ms=0.0, expected_ms=0.0, high_ms=0.0)
#: fewer statements than this are named exactly, more with two figures
_EXACT = 100
#: a wait that nobody notices
_SHORT_MS = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A judged statement with what its blast radius needs."""

    report: StatementReport
    #: how long it takes; None where a size is not known
    duration: Duration | None
    #: the transaction that it ran in, or None for one of its own
    transaction: object | None


def with_impacts(placed: Sequence[Placed], traffic: Traffic, *, lock_timeout_ms: float | None) -> list[tuple[Impact, ...]]:
    """Who waits for each statement; a lock counts once in a transaction, for the statement that takes it first.

    ``lock_timeout_ms``: how long the statement itself waits for its lock at most; None where nothing limits it.
    """
    ends = {id(each.transaction): position for position, each in enumerate(placed) if each.transaction is not None}
    found: list[tuple[Impact, ...]] = []
    told: set[tuple[int, str]] = set()
    for position, each in enumerate(placed):
        end = ends.get(id(each.transaction), position) if each.transaction is not None else position
        held = _held(placed[position : end + 1])
        mine = []
        for lock in each.report.locks:
            key = (id(each.transaction) if each.transaction is not None else -position - 1, lock.relation)
            if lock.blocks and key not in told:
                told.add(key)
                rate = traffic.of(lock.relation)
                mine.append(_impact(lock, held, rate, lock_timeout_ms, shared=end > position))
        found.append(tuple(mine))
    return found


def _held(placed: Iterable[Placed]) -> Duration | None:
    durations = [each.duration for each in placed]
    known = [duration for duration in durations if duration is not None]
    return total(known or [_NOTHING]) if len(known) == len(durations) else None


def _impact(lock: Lock, held: Duration | None, rate: CallRate | None, lock_timeout_ms: float | None, *, shared: bool) -> Impact:
    calls = rate.blocked_by(lock.blocks) if rate else None
    waiting = None if held is None or calls is None else calls * held.high_ms / 1000
    parts = [f"{lock.mode} held {_span(held)}{' until its transaction ends' if shared else ''}"]
    if rate is None or calls is None:
        parts.append("traffic not measured")
    else:
        parts.append(f"{calls:,.1f} {' and '.join(lock.blocks)} a second ({rate.source})")
    return Impact(
        relation=lock.relation,
        mode=lock.mode,
        blocked=lock.blocks,
        held_ms=None if held is None else (held.low_ms, held.expected_ms, held.high_ms),
        calls_per_second=None if calls is None else round(calls, 2),
        waiting_statements=None if waiting is None else round(waiting),
        queued_statements=None if calls is None or lock_timeout_ms is None else round(calls * lock_timeout_ms / 1000),
        queue_ms=lock_timeout_ms,
        basis="; ".join(parts),
    )


def _span(held: Duration | None) -> str:
    if held is None:
        return "for an unknown time"
    return f"{in_words(held.low_ms)} to {in_words(held.high_ms)}" if held.high_ms >= 1 else in_words(held.high_ms)


def worst_moment(reports: Iterable[StatementReport]) -> WorstMoment:
    """The statement that makes most others wait, in a sentence."""
    pairs = [(report, impact) for report in reports for impact in report.impact]
    if not pairs:
        return WorstMoment(sentence="nobody would wait: no statement takes a lock that blocks reads or writes")
    report, impact = max(pairs, key=lambda pair: _rank(pair[1]))
    return WorstMoment(statement=report.index, impact=impact, sentence=_sentence(impact))


def _rank(impact: Impact) -> tuple[bool, float, float, bool]:
    """What is not known stands above what is: it may be worse."""
    held = impact.held_ms[2] if impact.held_ms else 0.0
    return (impact.held_ms is None, float(impact.waiting_statements or 0), held, "reads" in impact.blocked)


def _sentence(impact: Impact) -> str:
    who = " and ".join(impact.blocked)
    if impact.held_ms is None:
        return f"{who} on {impact.relation} would wait, for how long is not known: its size is unknown"
    longest = impact.held_ms[2]
    if impact.waiting_statements is None:
        return f"{who} on {impact.relation} would wait up to {in_words(longest)}; how many is not known: traffic not measured"
    if impact.waiting_statements == 0 or longest < 1:
        few = "nobody would wait" if longest < _SHORT_MS else "hardly a statement would wait"
        return f"{few} longer than {in_words(longest)}"
    count = about(impact.waiting_statements)
    noun = "statement" if impact.waiting_statements == 1 else "statements"
    return f"about {count} {noun} would wait, the longest {in_words(longest)}"


def about(count: int) -> str:
    """``17``, ``420``, ``4,200``: two figures are all that an estimate can vouch for."""
    if count < _EXACT:
        return str(count)
    scale = 10 ** (len(str(count)) - 2)
    return f"{round(count / scale) * scale:,}"
