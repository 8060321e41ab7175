"""What a plan's watch leaves out: the plan's own statements, which are not the application's."""

from collections.abc import Iterator

from app.errors import HeadgateError
from app.plan.model import Plan
from app.sql.identity import identify
from app.sql.split import Statement, split


def fingerprints_of(plan: Plan) -> frozenset[str]:
    """Fingerprints of every statement that the plan itself sends: its SQL, its checks, its rollbacks."""
    texts = [statement.text for statement in _statements(plan)]
    for step in plan.steps():
        texts += [str(step.spec[name]) for name in ("query", "statement") if name in step.spec]
        texts += [statement.text for statement in split(step.rollback.sql)] if step.rollback and step.rollback.sql else []
    return frozenset(identify(text).key for text in texts)


def _statements(plan: Plan) -> Iterator[Statement]:
    for step in plan.steps():
        if step.kind != "sql":
            continue
        try:
            yield from split(step.spec["sql"])
        except HeadgateError:
            continue
