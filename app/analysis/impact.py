"""Lock, size and traffic -> who waits and for how long, with the inputs shown."""

from dataclasses import dataclass

from app.analysis.context import Context
from app.analysis.duration import WorkClass, estimate, in_words
from app.analysis.report import StatementReport
from app.catalog.records import Statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """How many statements would wait on one relation, and how long the longest does."""

    relation: str
    #: "reads", "writes"
    blocked: tuple[str, ...]
    longest_wait_ms: float
    #: statements that would wait; None where the traffic is not known
    waiting_statements: int | None
    #: the numbers behind it, for people
    basis: str


def blocked_ms(context: Context) -> tuple[float, float] | None:
    """Lowest and highest estimate of how long a statement blocks others; None where a size is not known."""
    work = _work(context)
    blocking = [lock.relation for lock in context.footprint.locks if lock.blocks]
    if not blocking:
        return (0.0, 0.0)
    low = high = 0.0
    for kind, names in work:
        for name in names:
            table = context.state.table(name)
            if table.is_new:
                continue
            if table.statistics is None:
                return None
            duration = estimate(kind, table.statistics.table_bytes)
            low, high = low + duration.low_ms, high + duration.high_ms
    return (round(low, 1), round(high, 1))


def _work(context: Context) -> list[tuple[WorkClass, tuple[str, ...]]]:
    footprint = context.footprint
    plain = tuple(name for name in footprint.scans if name not in {*footprint.rewrites, *footprint.builds})
    return [("rewrite", footprint.rewrites), ("build", footprint.builds), ("scan", plain)]


def impacts(report: StatementReport, statistics: Statistics | None) -> tuple[Impact, ...]:
    """Who waits for one statement: "about 4,200 statements would wait, the longest 3.1 s"."""
    if report.blocked_ms is None:
        return ()
    longest = report.blocked_ms[1]
    found = []
    for lock in report.locks:
        if not lock.blocks:
            continue
        facts = statistics.relations.get(lock.relation) if statistics else None
        rate = None
        if facts and facts.reads_per_second is not None and facts.writes_per_second is not None:
            rate = facts.writes_per_second + (facts.reads_per_second if "reads" in lock.blocks else 0.0)
        waiting = None if rate is None else round(rate * longest / 1000)
        speed = "traffic not measured yet" if rate is None else f"{rate:.1f} statements a second"
        found.append(
            Impact(
                relation=lock.relation,
                blocked=lock.blocks,
                longest_wait_ms=longest,
                waiting_statements=waiting,
                basis=f"{lock.mode} for up to {in_words(longest)}, {speed}",
            )
        )
    return tuple(found)
