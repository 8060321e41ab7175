"""What an analysis found on its target besides the findings: who is in the way, and what the rows said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.analysis.in_the_way import Obstacle, obstacles
from app.analysis.probes.probe import Answer
from app.analysis.report import Analysis, StatementReport
from app.analysis.second_opinion import SecondOpinion
from app.analysis.uses import RelationUse
from app.catalog.encoding import from_json
from app.catalog.live import Activity

_ORDER = ("fails", "not known", "fits")


@dataclass(frozen=True, slots=True, kw_only=True)
class InTheWay:
    """One session that some of the plan's statements would wait for."""

    obstacle: Obstacle
    #: numbers of these statements
    statements: tuple[int, ...]

    @property
    def note(self) -> str:
        """What becomes of it, in a sentence."""
        if self.obstacle.prevents_wraparound:
            return "It does not give way: let it finish first."
        if self.obstacle.gives_way:
            return "It gives way after a second."
        if self.obstacle.pid == 0:
            return "Only COMMIT PREPARED or ROLLBACK PREPARED ends it."
        if self.obstacle.is_own:
            return "It is Headgate's own; a run waits for it in its order."
        return "A run waits for it outside the lock queue."


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningNow:
    """Who was in the way when the target was read."""

    #: ISO 8601
    at: str
    rows: tuple[InTheWay, ...]
    hidden: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsSaid:
    """What the target's rows said, the worst first."""

    answers: tuple[Answer, ...]

    def count(self, state: str) -> int:
        """How many answers came to that."""
        return sum(answer.state == state for answer in self.answers)

    @property
    def sentence(self) -> str:
        """The verdict."""
        failing, open_ = self.count("fails"), self.count("not known")
        if not failing and not open_:
            return "The rows that are there take every statement"
        parts = [f"{failing} would be refused by the rows that are there"] if failing else []
        return ", ".join([*parts, *([f"{open_} not known"] if open_ else [])])


def running_now(report: Analysis, details: Mapping[str, Any] | None) -> RunningNow | None:
    """Who was in the way; None where nobody looked."""
    content = (details or {}).get("running_now")
    if content is None:
        return None
    activity = from_json(Activity, content)
    found: dict[tuple[int, str | None], tuple[Obstacle, list[int]]] = {}
    for statement in report.statements:
        wanted = [(lock.relation, lock.mode) for lock in statement.locks]
        for obstacle in obstacles(wanted, activity, needs_snapshots=_builds_beside(statement)):
            found.setdefault((obstacle.pid, obstacle.relation), (obstacle, []))[1].append(statement.index)
    rows = tuple(InTheWay(obstacle=obstacle, statements=tuple(numbers)) for obstacle, numbers in found.values())
    return RunningNow(at=activity.at, rows=rows, hidden=activity.hidden)


def _builds_beside(statement: StatementReport) -> bool:
    """True for what waits for old snapshots: an index built, dropped or rebuilt concurrently."""
    return not statement.transactional and "INDEX" in statement.command


def rows_said(details: Mapping[str, Any] | None) -> RowsSaid | None:
    """What the rows said; None where nobody asked or nothing depends on them."""
    answers = [Answer.from_json(content) for content in (details or {}).get("preflight", ())]
    return RowsSaid(answers=_sorted(answers)) if answers else None


def _sorted(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    return tuple(sorted(answers, key=lambda answer: (_ORDER.index(answer.state), answer.probe.statement)))


def second_opinion(details: Mapping[str, Any] | None) -> SecondOpinion | None:
    """What another linter said; None where nobody asked it."""
    content = (details or {}).get("second_opinion")
    return SecondOpinion.from_json(content) if content is not None else None


def uses(details: Mapping[str, Any] | None) -> tuple[RelationUse, ...]:
    """Who uses what changes; empty where no target was looked at."""
    return tuple(RelationUse.from_json(content) for content in (details or {}).get("uses", ()))
