"""Approve a revision for a target: bound to everything that was known, stale when any of it moves."""

from app.actions import wording
from app.actions.deciding import decide
from app.actions.work import Work
from app.store.tables.reviews import Decision
from app.store.words import Verdict


def approve_plan(work: Work, *, plan_id: int, digest: str, note: str = "", target_id: int | None = None) -> Decision:
    """Approve the revision of that digest, for the plan's own target or another; one approval of a person counts.

    Raises NotFoundError, NotAllowedError to its author, MovedMeanwhileError where the plan was edited or is not in review.
    """
    reason = wording.text(note)
    return decide(work, plan_id=plan_id, digest=digest, verdict=Verdict.APPROVE, reason=reason, target_id=target_id)
