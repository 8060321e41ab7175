"""Ask for changes: the plan can't run until its author changed it, or whoever asked was convinced."""

from app.actions import wording
from app.actions.deciding import decide
from app.actions.work import Work
from app.store.tables.reviews import Decision
from app.store.words import Verdict


def request_changes(work: Work, *, plan_id: int, digest: str, reason: str, target_id: int | None = None) -> Decision:
    """Ask for changes to the revision of that digest; the reason is needed.

    Raises NotFoundError, NotAllowedError, InvalidInputError, MovedMeanwhileError where the plan was edited or is not in review.
    """
    reason = wording.reason(reason)
    return decide(work, plan_id=plan_id, digest=digest, verdict=Verdict.REQUEST_CHANGES, reason=reason, target_id=target_id)
